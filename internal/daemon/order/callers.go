package order

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"syncd/internal/control"
)

const (
	// LookEvery is how often requests are looked for in the state, of all mappings with one
	// listing: 5,760 LIST requests a day for a process, which are 2.9 cents, or 0.86 dollars in 30
	// days, at 0.005 dollars per 1,000. lookSoon is how often while somebody waits for an answer
	// here.
	LookEvery = 15 * time.Second
	lookSoon  = 2 * time.Second
)

// callers is what a process knows of requests: whether they were looked for, and who waits for an
// answer.
type callers struct {
	looked chan struct{} // closed when the first look has ended
	poke   chan struct{} // holds an element when the next look should be at once

	mu      sync.Mutex
	err     error // of the last look, until one has succeeded
	known   bool  // one has
	waiting map[string][]chan control.Answer
}

func newCallers() *callers {
	return &callers{looked: make(chan struct{}), poke: make(chan struct{}, 1), waiting: map[string][]chan control.Answer{}}
}

// await waits for the first look, so that no pass begins of a mapping that is paused. The error is
// that of looks that failed.
func (c *callers) await(ctx context.Context) error {
	select {
	case <-c.looked:
	case <-ctx.Done():
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known {
		return nil
	}
	return fmt.Errorf("look for requests in the state: %w", c.err)
}

// note takes note of how a look ended.
func (c *callers) note(err error) {
	c.mu.Lock()
	c.err, c.known = err, c.known || err == nil
	c.mu.Unlock()
	select {
	case <-c.looked:
	default:
		close(c.looked)
	}
}

// soon has the next look be at once.
func (c *callers) soon() {
	select {
	case c.poke <- struct{}{}:
	default:
	}
}

// every returns how long the next look may wait.
func (c *callers) every() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 {
		return lookSoon
	}
	return LookEvery
}

// call returns where the answer to a request arrives, until the caller hangs up.
func (c *callers) call(id string) (answer <-chan control.Answer, hangUp func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := make(chan control.Answer, 1)
	c.waiting[id] = append(c.waiting[id], own)
	return own, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.waiting[id] = slices.DeleteFunc(c.waiting[id], func(other chan control.Answer) bool { return other == own })
		if len(c.waiting[id]) == 0 {
			delete(c.waiting, id)
		}
	}
}

func (c *callers) isAwaited(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting[id]) > 0
}

func (c *callers) deliver(a control.Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, caller := range c.waiting[a.ID] {
		select {
		case caller <- a:
		default: // it has one
		}
	}
}
