package s3

import "sync"

// largestWindow is the maximum number of bytes of one chunk in memory. A row group has about 1 MB;
// row groups of older chunks have up to 4 MB.
const largestWindow = 4 << 20

// windows is a memory budget. If no memory is left, a chunk is read without a window, with more
// requests, instead of waiting. Therefore the open chunks of a pass never wait for each other, and
// every pass makes progress.
type windows struct {
	mu   sync.Mutex
	free int64 // bytes
}

func newWindows(size int64) *windows { return &windows{free: size} }

// lend returns n bytes, or nil if fewer than n bytes would then remain free. Thus large windows
// cannot use all memory, and some of it remains for small windows.
func (w *windows) lend(n int64) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n <= 0 || n > min(w.free/2, largestWindow) {
		return nil
	}
	w.free -= n
	return make([]byte, n)
}

// giveBack returns memory to the budget. The slice must have the same length as when lend returned
// it.
func (w *windows) giveBack(lent []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free += int64(len(lent))
}
