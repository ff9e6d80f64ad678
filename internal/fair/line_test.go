package fair_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"syncd/internal/fair"
)

// locker is a lock whose Lock calls first and does nothing else.
type locker struct{ first func() }

func (l locker) Lock() { l.first() }
func (locker) Unlock() {}

// TestLineAdmitsInOrder checks that requests are admitted in order, except the request that gave
// up.
func TestLineAdmitsInOrder(t *testing.T) {
	var line fair.Line[float64]
	line.Join(1.5)
	place := line.Join(2)
	line.Join(3)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	left := false
	err := line.Wait(ctx, &sync.Mutex{}, place, func(isLate bool) { left = !isLate })
	if !left || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, left in time: %v, want %v, true", err, left, context.Canceled)
	}
	for _, want := range []float64{1.5, 3} {
		if first, admitted := line.First(), line.Admit(); first != want || admitted != want {
			t.Errorf("got weight %v first and %v admitted, want %v", first, admitted, want)
		}
	}
	if !line.IsEmpty() {
		t.Error("got a request left in the line, want none")
	}
}

// TestLineGivesBackWhatCameTooLate checks a request that is admitted after its context ended but
// before it leaves the line.
func TestLineGivesBackWhatCameTooLate(t *testing.T) {
	var line fair.Line[int]
	place := line.Join(7)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	late := 0
	err := line.Wait(ctx, locker{func() { line.Admit() }}, place, func(isLate bool) {
		if isLate {
			late++
		}
	})
	if late != 1 || !errors.Is(err, context.Canceled) || !line.IsEmpty() {
		t.Errorf("got %v, %d times too late, want %v, once, and an empty line", err, late, context.Canceled)
	}
}

func TestLineReturnsWhatIsAdmitted(t *testing.T) {
	var line fair.Line[int]
	place := line.Join(7)
	line.Admit()
	if err := line.Wait(t.Context(), &sync.Mutex{}, place, func(bool) { t.Error("got it given up") }); err != nil {
		t.Error(err)
	}
}
