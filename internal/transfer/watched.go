package transfer

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"
)

const (
	// bodyPatience is how long the read of a body may stall. What holds memory and a slot meanwhile is wanted by others, also of
	// other mappings.
	bodyPatience = time.Minute
	// LeastProgress is how many bytes of a body count as progress. With less than that in a minute of waiting, about 1 KiB a second, a
	// body only holds a slot.
	LeastProgress = 64 << 10
)

// Watch returns the body of an answer, given up when reading it stalls: Read fails with context.DeadlineExceeded when less than
// 64 KiB came in a minute of waiting. Time in which nobody reads does not count. Stop ends the request; it is called then, and when
// the body is closed.
func Watch(body io.ReadCloser, stop context.CancelFunc) io.ReadCloser {
	w := &watched{ReadCloser: body, stop: stop}
	w.timer = time.AfterFunc(bodyPatience, func() {
		w.stalled.Store(true)
		stop()
	})
	w.timer.Stop()
	return w
}

type watched struct {
	io.ReadCloser
	stop    context.CancelFunc // ends the request, and so a read that waits
	timer   *time.Timer
	stalled atomic.Bool
	waited  time.Duration // since LeastProgress had come
	got     int           // meanwhile
}

// Read reads on.
func (w *watched) Read(p []byte) (int, error) {
	begun := time.Now()
	w.timer.Reset(bodyPatience - w.waited)
	n, err := w.ReadCloser.Read(p)
	w.timer.Stop()
	w.waited, w.got = w.waited+time.Since(begun), w.got+n
	switch {
	case err != nil && w.stalled.Load():
		err = fmt.Errorf("%d bytes within %s: %w", w.got, bodyPatience, context.DeadlineExceeded)
	case w.got >= LeastProgress:
		w.waited, w.got = 0, 0
	}
	return n, err
}

// Close ends the request.
func (w *watched) Close() error {
	defer w.stop()
	return w.ReadCloser.Close()
}
