package fair

// Share divides a number of slots among members, each of which could use all of them. A free slot
// goes to the first member that asks. If members wait, each released slot goes to the next waiting
// member in turn.
type Share struct {
	queue *Queue
	limit int // guarded by the lock of the queue
}

// NewShare returns a Share of n slots; 0 means no limit.
func NewShare(n int) *Share {
	s := &Share{limit: n}
	s.queue = NewQueue(s.verdict)
	return s
}

func (s *Share) verdict(_, all, weight int64) Verdict {
	if s.limit == 0 || all+weight <= int64(s.limit) {
		return Admit
	}
	return Block
}

// SetLimit changes the number of slots; 0 means no limit. Members keep the slots they hold: after
// the limit is lowered, no slot is given out until fewer slots are in use than the limit.
func (s *Share) SetLimit(n int) { s.queue.change(func() { s.limit = n }) }

// InUse returns how many slots are in use.
func (s *Share) InUse() int { return int(s.queue.Held()) }

// Waiting returns how many members wait for a slot.
func (s *Share) Waiting() int { return s.queue.Waiting() }

// Member returns a new member. Its slots have a weight of 1.
func (s *Share) Member() *Member { return s.queue.Member() }
