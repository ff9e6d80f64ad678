package service_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"syncd/internal/daemon/service"
)

// TestLife checks the states of a service from start to end.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed, finish := errors.New("it failed"), make(chan struct{})
		s := service.Of(func(ctx context.Context) error {
			<-ctx.Done()
			<-finish
			return failed
		})
		want := func(want service.State) {
			t.Helper()
			synctest.Wait()
			if got := s.State(); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
		want(service.New)
		var work sync.WaitGroup
		work.Go(func() {
			if err := s.Run(t.Context()); !errors.Is(err, failed) {
				t.Errorf("got %v, want %v", err, failed)
			}
		})
		want(service.Running)
		s.Stop()
		s.Stop()
		want(service.Stopping)
		close(finish)
		<-s.Done()
		want(service.Ended)
		s.Stop()
		want(service.Ended)
		work.Wait()
	})
}

// TestStopBeforeTheBeginning checks that the context of the work has already ended if Stop was
// called before Run.
func TestStopBeforeTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := service.Of(func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		})
		s.Stop()
		if err := s.Run(t.Context()); err != nil || s.State() != service.Ended {
			t.Errorf("got %v, %s, want an end", err, s.State())
		}
	})
}

// TestTheEndOfTheContext checks that the end of the context ends a service like Stop does.
func TestTheEndOfTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		s := service.Of(func(ctx context.Context) error {
			<-ctx.Done()
			return nil
		})
		var work sync.WaitGroup
		work.Go(func() { _ = s.Run(ctx) })
		cancel()
		work.Wait()
		if s.State() != service.Ended {
			t.Errorf("got %s, want ended", s.State())
		}
	})
}
