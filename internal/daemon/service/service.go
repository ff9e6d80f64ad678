// Package service provides a unit of work with a life cycle, as a value that can be passed around,
// queried and stopped.
//
// It guarantees that a service runs at most once, that it can be stopped at any time, even before
// it runs, and that a caller that waits for its end sees everything that the service has done:
//
//	New --Run--> Running --Stop--> Stopping --> Ended
//	 \--Stop--> Stopping --Run--> Ended
//
// The caller provides the goroutine for Run, and decides in which order services are stopped.
//
// Two terms: to stop is to ask a service to end; a service has ended when its work function has
// returned.
package service

import (
	"context"
	"sync"
)

// State is a stage in the life of a service.
type State string

// The states, in order.
const (
	New      State = "new"
	Running  State = "running"
	Stopping State = "stopping"
	Ended    State = "ended"
)

// Service is a unit of work with a life cycle. Create it with Of.
type Service struct {
	work func(ctx context.Context) error
	done chan struct{} // closed when the work has ended

	mu     sync.Mutex
	state  State
	cancel context.CancelFunc // ends the context of the work
}

// Of returns a service whose work is the given func. The func must return when its context ends.
func Of(work func(ctx context.Context) error) *Service {
	return &Service{work: work, done: make(chan struct{}), state: New, cancel: func() {}}
}

// Run runs the work and returns its error. The context of the work ends when ctx ends or Stop is
// called. Call Run only once.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.mu.Lock()
	if s.state == Stopping {
		cancel()
	} else {
		s.state, s.cancel = Running, cancel
	}
	s.mu.Unlock()
	err := s.work(ctx)
	s.mu.Lock()
	s.state = Ended
	s.mu.Unlock()
	close(s.done)
	return err
}

// Stop asks the work to end. It does not wait for the end.
func (s *Service) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == New || s.state == Running {
		s.state = Stopping
		s.cancel()
	}
}

// Done returns a channel that is closed when the work has ended.
func (s *Service) Done() <-chan struct{} { return s.done }

// State returns the current state of the service.
func (s *Service) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}
