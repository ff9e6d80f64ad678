// Package service is a piece of work with a life cycle, as a value that can be passed on, asked how
// it is, and stopped.
//
// It promises that a service runs once, that it can be stopped at any time, also before it has
// begun, and that who waits for its end sees everything it has done:
//
//	New --Run--> Running --Stop--> Stopping --> Ended
//	 \--Stop--> Stopping --Run--> Ended
//
// It leaves to its caller the goroutine that it runs in, and which service is stopped before which.
//
// The words: to stop is to ask for the end; a service has ended when its work has returned.
package service

import (
	"context"
	"sync"
)

// State is where a service is in its life.
type State string

// The states, in their order.
const (
	New      State = "new"
	Running  State = "running"
	Stopping State = "stopping"
	Ended    State = "ended"
)

// Service is a piece of work with a life cycle. It is made by Of.
type Service struct {
	work func(ctx context.Context) error
	done chan struct{} // closed when it has ended

	mu     sync.Mutex
	state  State
	cancel context.CancelFunc // of the work
}

// Of returns a service that does this work until the context of the work ends.
func Of(work func(ctx context.Context) error) *Service {
	return &Service{work: work, done: make(chan struct{}), state: New, cancel: func() {}}
}

// Run does the work and returns its error, once ctx has ended or Stop was called. It is called
// once.
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

// Stop has the work end, and does not wait for it.
func (s *Service) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == New || s.state == Running {
		s.state = Stopping
		s.cancel()
	}
}

// Done is closed when the work has ended.
func (s *Service) Done() <-chan struct{} { return s.done }

// State returns where the service is in its life.
func (s *Service) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}
