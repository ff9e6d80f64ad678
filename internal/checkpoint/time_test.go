package checkpoint_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// pass lets time go by.
func pass(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-time.After(d):
	case <-t.Context().Done():
	}
	synctest.Wait()
}

// ledgerBubble runs a test that reads and writes chunks in a bubble. The decoders
// of chunks are pooled and have channels, which must not leave the bubble: no
// test runs beside it, and two collections empty the pools (sync.Pool).
func ledgerBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	defer runtime.GC()
	defer runtime.GC()
	synctest.Test(t, test)
}
