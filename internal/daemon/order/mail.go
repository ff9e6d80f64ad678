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
	// LookEvery is how often requests are looked for in the state, of all mappings with one listing: 5,760 LIST requests a day for a
	// process, which are 2.9 cents, or 0.86 dollars in 30 days, at 0.005 dollars per 1,000. lookSoon is how often while somebody waits
	// for an answer here.
	LookEvery = 15 * time.Second
	lookSoon  = 2 * time.Second
)

// mail is what a process knows of requests: whether they were looked for, and who waits for an answer.
type mail struct {
	looked chan struct{} // closed when the first look has ended
	poke   chan struct{} // holds an element when the next look should be at once

	mu      sync.Mutex
	err     error // of the last look, until one has succeeded
	known   bool  // one has
	callers map[string][]chan control.Answer
}

func newMail() *mail {
	return &mail{looked: make(chan struct{}), poke: make(chan struct{}, 1), callers: map[string][]chan control.Answer{}}
}

// await waits for the first look, so that no pass begins of a mapping that is paused. The error is that of looks that failed.
func (m *mail) await(ctx context.Context) error {
	select {
	case <-m.looked:
	case <-ctx.Done():
		return ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known {
		return nil
	}
	return fmt.Errorf("look for requests in the state: %w", m.err)
}

// note takes note of how a look ended.
func (m *mail) note(err error) {
	m.mu.Lock()
	m.err, m.known = err, m.known || err == nil
	m.mu.Unlock()
	select {
	case <-m.looked:
	default:
		close(m.looked)
	}
}

// soon has the next look be at once.
func (m *mail) soon() {
	select {
	case m.poke <- struct{}{}:
	default:
	}
}

// every returns how long the next look may wait.
func (m *mail) every() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.callers) > 0 {
		return lookSoon
	}
	return LookEvery
}

// call returns where the answer to a request arrives, until the caller hangs up.
func (m *mail) call(id string) (answer <-chan control.Answer, hangUp func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := make(chan control.Answer, 1)
	m.callers[id] = append(m.callers[id], c)
	return c, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.callers[id] = slices.DeleteFunc(m.callers[id], func(other chan control.Answer) bool { return other == c })
		if len(m.callers[id]) == 0 {
			delete(m.callers, id)
		}
	}
}

func (m *mail) isAwaited(id string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.callers[id]) > 0
}

func (m *mail) deliver(a control.Answer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.callers[a.ID] {
		select {
		case c <- a:
		default: // it has one
		}
	}
}
