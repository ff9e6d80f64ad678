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
	// LookEvery is how often the state is searched for requests. One search lists the requests of
	// all mappings. A process sends 5,760 LIST requests a day, which cost 2.9 cents, or 0.86
	// dollars in 30 days, at 0.005 dollars per 1,000. lookSoon replaces LookEvery while a caller of
	// this process waits for an answer.
	LookEvery = 15 * time.Second
	lookSoon  = 2 * time.Second
)

// callers records the result of the last search of the state for requests, and which callers wait
// for an answer.
type callers struct {
	looked chan struct{} // closed when the first search has ended
	poke   chan struct{} // has an element when the next search should start at once

	mu      sync.Mutex
	err     error // the error of the last search, or nil
	known   bool  // a search has succeeded
	waiting map[string][]chan control.Answer
}

func newCallers() *callers {
	return &callers{looked: make(chan struct{}), poke: make(chan struct{}, 1), waiting: map[string][]chan control.Answer{}}
}

// await waits for the first search, so that no pass of a paused mapping begins. It returns an error
// if no search has succeeded yet.
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

// note records the result of a search.
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

// soon makes the next search start at once.
func (c *callers) soon() {
	select {
	case c.poke <- struct{}{}:
	default:
	}
}

// every returns the maximum wait before the next search.
func (c *callers) every() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 {
		return lookSoon
	}
	return LookEvery
}

// call returns a channel that receives the answer to a request, until hangUp is called.
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
		default: // the caller already has an answer
		}
	}
}
