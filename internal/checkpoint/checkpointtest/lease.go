//nolint:thelper // Run runs these as tests: a failure must show their line
package checkpointtest

import (
	"context"
	"errors"
	"testing"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/store"
)

func leaseExcludes(t *testing.T, s store.Store) {
	lease, err := s.Acquire(t.Context(), "alpha", "first holder")
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	if err := lease.Held(t.Context()); err != nil {
		t.Errorf("held: got %v, want nil", err)
	}
	_, err = s.Acquire(t.Context(), "alpha", "second holder")
	held, ok := errors.AsType[*store.LeaseHeldError](err)
	if !ok {
		t.Fatalf("acquire again: got %v, want a LeaseHeldError", err)
	}
	if held.Name != "alpha" || held.Holder != "first holder" || held.Since.IsZero() {
		t.Errorf("acquire again: got %+v, want the first holder named", held)
	}
	wantNames(t, s, "alpha/")
	if err := errors.Join(lease.Release(), lease.Release()); err != nil {
		t.Fatalf("release twice: %v", err)
	}
	next, err := s.Acquire(t.Context(), "alpha", "second holder")
	if err != nil {
		t.Fatalf("acquire after release: %v", err)
	}
	if err := next.Release(); err != nil {
		t.Errorf("release: %v", err)
	}
}

func leasesApart(t *testing.T, s store.Store) {
	for _, name := range []string{"alpha", "beta"} {
		lease, err := s.Acquire(t.Context(), name, "me")
		if err != nil {
			t.Fatalf("acquire %s: %v", name, err)
		}
		t.Cleanup(func() { wantError(t, "release", lease.Release(), nil) })
	}
}

func leaseReleased(t *testing.T, s store.Store) {
	lease, err := s.Acquire(t.Context(), "alpha", "me")
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	if err := lease.Release(); err != nil {
		t.Fatalf("release: %v", err)
	}
	wantError(t, "held after release", lease.Held(t.Context()), store.ErrLeaseLost)
}

func leaseBounds(t *testing.T, s store.Store) {
	lease, err := s.Acquire(t.Context(), "alpha", "me")
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	caller, end := context.WithCancel(t.Context())
	byCaller, releaseFirst := lease.Bound(caller)
	byLease, releaseSecond := lease.Bound(t.Context())
	defer releaseFirst()
	defer releaseSecond()
	end()
	<-byCaller.Done()
	if cause := context.Cause(byCaller); errors.Is(cause, store.ErrLeaseLost) || byLease.Err() != nil {
		t.Errorf("after the caller ended: got cause %v, and %v for another caller", cause, byLease.Err())
	}
	if err := lease.Confirm(t.Context()); err != nil {
		t.Errorf("confirm: %v", err)
	}
	if err := lease.Release(); err != nil {
		t.Fatalf("release: %v", err)
	}
	<-byLease.Done()
	wantError(t, "cause after release", context.Cause(byLease), store.ErrLeaseLost)
	late, releaseThird := lease.Bound(t.Context())
	defer releaseThird()
	<-late.Done()
	wantError(t, "confirm after release", lease.Confirm(t.Context()), store.ErrLeaseLost)
}

func leaseOf(t *testing.T, s store.Store) {
	want := func(when string, ok bool, holder string) {
		t.Helper()
		got, held, err := checkpoint.LeaseOf(t.Context(), s, "alpha")
		if err != nil || held != ok || got.Holder != holder && held || held && got.Since.IsZero() {
			t.Errorf("%s: got %+v, %t, %v, want %q, %t", when, got, held, err, holder, ok)
		}
	}
	want("before", false, "")
	for _, holder := range []string{"first holder", "second holder"} {
		lease, err := s.Acquire(t.Context(), "alpha", holder)
		if err != nil {
			t.Fatalf("acquire: %v", err)
		}
		want("held", true, holder)
		if err := lease.Held(t.Context()); err != nil {
			t.Errorf("held after others looked: got %v, want nil", err)
		}
		if err := lease.Release(); err != nil {
			t.Fatalf("release: %v", err)
		}
		want("released", false, "")
	}
	_, _, err := s.LeaseOf(t.Context(), "../alpha")
	if err == nil {
		t.Error("lease of an invalid name: got no error")
	}
}

func leaseClean(t *testing.T, s store.Store) {
	for range 2 {
		lease, err := s.Acquire(t.Context(), "alpha", "me")
		if err != nil {
			t.Fatalf("acquire: %v", err)
		}
		if lease.TakenOver() {
			t.Error("taken over: got true, want false: no process held it")
		}
		if err := lease.Release(); err != nil {
			t.Fatalf("release: %v", err)
		}
	}
}
