package s3

import "sync"

// largestWindow is the most bytes held of one chunk. A row group has about 1 MB; row groups of
// older chunks have up to 4 MB.
const largestWindow = 4 << 20

// windows is a memory budget. Nothing waits for it: a chunk that gets no window is read without
// one, in more requests. So the chunks that a pass has open never wait for each other, and every
// pass makes progress.
type windows struct {
	mu   sync.Mutex
	free int64 // bytes
}

func newWindows(size int64) *windows { return &windows{free: size} }

// lend returns n bytes, or nil if less than n would remain free. That leaves room for small windows
// after large ones have taken what they can.
func (w *windows) lend(n int64) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n <= 0 || n > min(w.free/2, largestWindow) {
		return nil
	}
	w.free -= n
	return make([]byte, n)
}

// giveBack returns memory to the budget. The slice must have the length that it had in lend.
func (w *windows) giveBack(lent []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free += int64(len(lent))
}
