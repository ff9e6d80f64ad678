package denial

import (
	"context"
	"slices"
	"sync"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

const (
	// suspectAfter is how many objects in a row must be refused before objects in other key ranges
	// are tried. The number doubles with each range of refused keys, up to suspectMost, to limit
	// the number of checks if the ranges are long or many.
	suspectAfter = 32
	suspectMost  = 4096
)

// Held is an object that was refused but is not quarantined yet. If everything turns out to be
// refused, the object is not quarantined, and the pass that resumes the interrupted pass retries
// the object.
type Held struct {
	// Slot is the object's slot in the ledger, and Row the row to write if the object is
	// quarantined.
	Slot  *checkpoint.Slot
	Row   record.Quarantined
	taken int // how many actions the walk had taken when the object was refused
}

// streak is the objects that were refused since the last copy. The zero value is ready to use.
type streak struct {
	mu      sync.Mutex
	copies  int64 // number of copies begun
	since   int64 // value of copies when the first object of the streak was refused
	inTurn  int   // number of consecutive refused objects
	limit   int   // refusals in a row after which other key ranges are tried; 0 means suspectAfter
	held    []Held
	judging chan struct{}  // not nil while a decision is pending; closed if not everything is refused
	broken  bool           // a copy succeeded while the decision was pending
	over    bool           // everything is refused: the pass ends
	taken   int            // number of actions that the walk has taken
	witness listing.Object // the last object that has a copy at the destination
}

// Begin returns the number of a new copy.
func (s *streak) Begin() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copies++
	return s.copies
}

// Take records that the walk has taken an action. If the first held object has been held for
// patience actions, Take returns all held objects, which ends the hold: during the hold, the ledger
// keeps every later key in memory.
func (s *streak) Take(patience int) []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	if len(s.held) == 0 || s.judging != nil || s.taken-s.held[0].taken < patience {
		return nil
	}
	return s.letGo()
}

// Free ends the hold, and returns the held objects, if a walk waits until one of them is settled.
// The parameter keys has the keys that walks wait for. If all walks wait, no more actions are taken,
// so Take does not end the hold.
func (s *streak) Free(keys []string) []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	isAwaited := func(h Held) bool { return slices.Contains(keys, h.Row.Key) }
	if s.judging != nil || !slices.ContainsFunc(s.held, isAwaited) {
		return nil
	}
	return s.letGo()
}

// letGo returns the held objects and clears them. The caller holds s.mu.
func (s *streak) letGo() []Held {
	held := s.held
	s.held = nil
	return held
}

// Skipped records an action that needs no copy. If the object is unchanged, it has a copy at the
// destination and becomes the witness.
func (s *streak) Skipped(a plan.Action) {
	if !a.Listed() || a.Reason != plan.Unchanged {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.witness = a.Object
}

// Copied records that a copy succeeded, which proves that not everything is refused: it ends the
// streak and returns the held objects. A copy that began before the first object of the streak was
// refused proves nothing, so Copied then returns nil.
func (s *streak) Copied(number int64, o listing.Object) []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.witness = o
	if s.over || s.inTurn > 0 && number <= s.since {
		return nil
	}
	s.inTurn, s.broken = 0, true
	return s.letGo()
}

// add holds an object that was refused. It reports whether the caller must decide if everything is
// refused, and then call judged.
func (s *streak) add(slot *checkpoint.Slot, row record.Quarantined) (mustJudge bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inTurn == 0 {
		s.since = s.copies
	}
	s.inTurn++
	s.held = append(s.held, Held{slot, row, s.taken})
	if s.judging != nil || s.inTurn < max(s.limit, suspectAfter) {
		return false
	}
	s.judging, s.broken = make(chan struct{}), false
	return true
}

// Wait waits while the decision whether everything is refused is pending, so that no requests are
// wasted.
func (s *streak) Wait(ctx context.Context) error {
	s.mu.Lock()
	judging := s.judging
	s.mu.Unlock()
	if judging == nil {
		return nil
	}
	select {
	case <-judging:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judged ends the decision. It returns the held objects unless everything is refused. A copy that
// succeeded meanwhile proves that not everything is refused. If everything is refused, callers of
// Wait keep waiting until the pass ends.
func (s *streak) judged(all bool) (really bool, held []Held) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over = all && !s.broken; s.over {
		return true, nil
	}
	close(s.judging)
	s.judging = nil
	s.limit = min(2*max(s.limit, suspectAfter), suspectMost)
	s.inTurn = 0
	return false, s.letGo()
}

// turn returns how many objects in a row were refused, and the last object that has a copy at the
// destination.
func (s *streak) turn() (inTurn int, witness listing.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inTurn, s.witness
}

// Rest returns the objects that are still held.
func (s *streak) Rest() []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.letGo()
}
