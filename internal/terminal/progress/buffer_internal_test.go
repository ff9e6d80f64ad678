package progress

import (
	"bytes"
	"sync"
)

// sharedBuffer collects what a process writes while the test reads it.
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
