package s3

import "sync"

// largestWindow is the most that is held of one chunk, in bytes. A row group has about 1 MB; those
// of older chunks have up to 4 MB.
const largestWindow = 4 << 20

// windows is a budget of memory. Nobody waits for it: a chunk that gets no window is read without
// one, in more requests. So chunks that one pass has open never wait for each other, however many
// passes there are, and each makes progress.
type windows struct {
	mu   sync.Mutex
	free int64 // bytes
}

func newWindows(size int64) *windows { return &windows{free: size} }

// lend returns n bytes, nil where that would leave less than as much: so there is room for small
// windows when large ones have taken what they can get.
func (w *windows) lend(n int64) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n <= 0 || n > min(w.free/2, largestWindow) {
		return nil
	}
	w.free -= n
	return make([]byte, n)
}

// giveBack takes back what was lent, as long as it was then.
func (w *windows) giveBack(lent []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.free += int64(len(lent))
}
