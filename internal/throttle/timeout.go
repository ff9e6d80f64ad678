package throttle

import (
	"context"
	"sync"
	"time"
)

// timeoutKey is under which a context has its stopwatch.
type timeoutKey struct{}

// WithTimeout is context.WithTimeout for requests that pass a [Guard], but that its time stands still while one of them waits
// there for a rate: such a wait was asked for, and may be as long as a low rate makes it. When the time is up, the context's
// Err is context.Canceled and its cause is context.DeadlineExceeded.
func WithTimeout(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &stopwatch{left: timeout, since: time.Now()}
	s.timer = time.AfterFunc(timeout, func() { cancel(context.DeadlineExceeded) })
	return context.WithValue(ctx, timeoutKey{}, s), func() {
		s.end()
		cancel(nil)
	}
}

// paused stops the time of a context, if it is one of WithTimeout, until it is resumed.
func paused(ctx context.Context) (resume func()) {
	s, ok := ctx.Value(timeoutKey{}).(*stopwatch)
	if !ok {
		return func() {}
	}
	s.pause()
	return s.resume
}

// stopwatch is a timer that can stand still.
type stopwatch struct {
	mu      sync.Mutex
	timer   *time.Timer
	left    time.Duration // when it began to run last
	since   time.Time     // when that was
	waiting int           // requests for which it stands still
	over    bool          // it has run out, or is not needed any more
}

func (s *stopwatch) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting++; s.waiting > 1 || s.over {
		return
	}
	s.over = !s.timer.Stop()
	s.left -= time.Since(s.since)
}

func (s *stopwatch) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting--; s.waiting > 0 || s.over {
		return
	}
	s.since = time.Now()
	s.timer.Reset(s.left)
}

func (s *stopwatch) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.timer.Stop()
}
