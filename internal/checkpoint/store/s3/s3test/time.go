package s3test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// Pass lets time pass.
func Pass(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
	synctest.Wait()
}

// LedgerBubble runs a test that reads and writes chunks in a bubble. The decoders of chunks are
// pooled and have channels, which must not be used outside the bubble. Therefore two garbage
// collections empty the pools (sync.Pool), and tests that run in parallel with this test must not
// read chunks.
func LedgerBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, test)
}
