package denial

import (
	"context"
	"sync"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

const (
	// suspectAfter is how many objects are refused in turn, without a copy in between, before a
	// pass tries others elsewhere. It doubles with each stretch of refused keys, up to suspectMost,
	// so that neither a long one nor many are examined again and again.
	suspectAfter = 32
	suspectMost  = 4096
)

// Held is an object that was refused and is not set aside yet: if everything turns out to be
// refused it never is, and the pass that resumes this one tries it again.
type Held struct {
	// Slot is the object's place in the ledger, Row what it is to be set aside with.
	Slot  *checkpoint.Slot
	Row   record.Quarantined
	taken int // how many actions the walk had taken
}

// streak is what was refused since the last copy. The zero streak is ready.
type streak struct {
	mu      sync.Mutex
	copies  int64 // that have begun
	since   int64 // how many had when the first of these was refused
	inTurn  int   // refused since the last copy
	limit   int   // at which others are tried elsewhere, 0 for suspectAfter
	held    []Held
	judging chan struct{}  // closed when it is decided that not all is refused; nil when nothing is to be
	broken  bool           // a copy was made meanwhile
	over    bool           // all is refused: the pass ends
	taken   int            // actions of the walk
	last    string         // key of the last one
	witness listing.Object // the last object of which the destination has a copy
}

// Begin numbers a copy.
func (s *streak) Begin() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.copies++
	return s.copies
}

// Take notes how far the walk has come, and returns the objects that were held for longer than the
// ledger's window bears: it keeps every key from the first of them on in memory.
func (s *streak) Take(key string, patience int) []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	s.last = key
	if len(s.held) == 0 || s.judging != nil || s.taken-s.held[0].taken < patience {
		return nil
	}
	return s.letGo()
}

// letGo returns what is held. The caller holds s.mu.
func (s *streak) letGo() []Held {
	held := s.held
	s.held = nil
	return held
}

// Skipped notes an action that needs no copy: of an unchanged object the destination has one.
func (s *streak) Skipped(a plan.Action) {
	if !a.Listed() || a.Reason != plan.Unchanged {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.witness = a.Object
}

// Copied notes a copy, and returns what is held: it was not refused with everything else. A copy
// that began before the first of these was refused shows nothing.
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

// add holds an object that was refused. It reports whether the caller must decide whether all is
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

// Wait waits while it is being decided whether all is refused: what is sent meanwhile would be too.
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

// judged ends the decision. It returns what is held unless all is refused, which a copy that was
// made meanwhile disproves. If all is, those that wait continue to wait until the pass has ended.
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

// turn returns how many objects were refused in turn, how far the walk has come, and an object that
// was not refused.
func (s *streak) turn() (inTurn int, last string, witness listing.Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inTurn, s.last, s.witness
}

// Rest returns what is still held.
func (s *streak) Rest() []Held {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.letGo()
}
