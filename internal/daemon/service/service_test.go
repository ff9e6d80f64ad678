package service_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"syncd/internal/daemon/service"
)

// TestLife follows a service from its beginning to its end.
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

// TestStopBeforeTheBeginning lets the work see at once that it should end.
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

// TestTheEndOfTheContext ends a service as Stop does.
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
