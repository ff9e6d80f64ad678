package progress

import (
	"bytes"
	"sync"
)

// sharedBuffer is a buffer that can be written and read concurrently.
type sharedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *sharedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *sharedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
