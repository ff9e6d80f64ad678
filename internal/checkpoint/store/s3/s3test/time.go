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
// pooled and have channels, which must not leave the bubble. So no test runs in parallel with it,
// and two collections empty the pools (sync.Pool).
func LedgerBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, test)
}
