package throttle

import (
	"context"
	"sync"
)

// Share divides a number of slots among members that each would take all of them.
//
// A slot that nobody waits for is free to whoever asks first. When members wait, each slot that comes free goes to the next
// of them in turn, whatever the number of its requests: one that begins to wait has its turn after at most one slot for
// each other member that waits. Within a member requests go in the order they came.
type Share struct {
	mu    sync.Mutex
	limit int
	inUse int
	turns []*Member // that wait, in the order of their turns; each is there once
}

// NewShare returns a Share of n slots; 0 means that there is no bound.
func NewShare(n int) *Share { return &Share{limit: n} }

// SetLimit changes the number of slots; 0 means that there is no bound. Slots that are taken beyond a lower number are not
// taken away: nobody gets one until enough have been given back.
func (s *Share) SetLimit(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = n
	s.admit()
}

// InUse returns how many slots are taken.
func (s *Share) InUse() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.inUse
}

// Waiting returns how many members wait for a slot.
func (s *Share) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, m := range s.turns {
		if !m.line.empty() {
			n++
		}
	}
	return n
}

// Member returns a new member.
func (s *Share) Member() *Member { return &Member{share: s} }

// Member is one of those that a [Share] is divided among. It may be used by several goroutines.
type Member struct {
	share *Share
	line  line // the lock of the share guards what follows
	turns bool // it has a place among the share's turns
	inUse int
}

// Acquire waits for a slot. Its error is that of ctx, and then no slot is taken.
func (m *Member) Acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s := m.share
	s.mu.Lock()
	if s.free() && len(s.turns) == 0 {
		s.inUse++
		m.inUse++
		s.mu.Unlock()
		return nil
	}
	place := m.line.join(1)
	m.takeTurn()
	s.mu.Unlock()
	return m.line.wait(ctx, &s.mu, place, m.release)
}

// Release gives a slot back. Releasing one that is not taken is a bug, and panics.
func (m *Member) Release() {
	m.share.mu.Lock()
	defer m.share.mu.Unlock()
	m.release()
}

func (m *Member) release() {
	if m.inUse == 0 {
		panic("BUG: released a slot of a share that was not acquired")
	}
	m.inUse--
	m.share.inUse--
	m.share.admit()
}

// takeTurn gives the member a place behind those that wait, unless it has one.
func (m *Member) takeTurn() {
	if !m.turns {
		m.turns = true
		m.share.turns = append(m.share.turns, m)
	}
}

func (s *Share) free() bool { return s.limit == 0 || s.inUse < s.limit }

// admit lets requests go, one of each member in turn, as long as there are slots.
func (s *Share) admit() {
	for s.free() && len(s.turns) > 0 {
		m := s.turns[0]
		s.turns, m.turns = s.turns[1:], false
		if m.line.empty() {
			continue // whoever waited has given up
		}
		m.line.admit()
		m.inUse++
		s.inUse++
		if !m.line.empty() {
			m.takeTurn()
		}
	}
}
