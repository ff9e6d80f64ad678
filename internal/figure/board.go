package figure

import (
	"maps"
	"sync"
)

// Board has what is known of every mapping of the process. It is made by NewBoard.
type Board struct {
	mu       sync.Mutex
	mappings map[string]*Mapping
	skew     func() (seconds float64, ok bool)
}

// NewBoard returns a board without mappings.
func NewBoard() *Board {
	return &Board{mappings: map[string]*Mapping{}}
}

// Of returns what is known of a mapping. A mapping that is not on the board is put there, with
// nothing known.
func (b *Board) Of(mapping string) *Mapping {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.mappings[mapping]
	if m == nil {
		m = newMapping()
		b.mappings[mapping] = m
	}
	return m
}

// Known returns what is known of a mapping, nil for one that is not on the board.
func (b *Board) Known(mapping string) *Mapping {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mappings[mapping]
}

// Forget takes a mapping off the board. What its former users set after that shows nowhere.
func (b *Board) Forget(mapping string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.mappings, mapping)
}

// All reads every mapping on the board.
func (b *Board) All() map[string]Figure {
	b.mu.Lock()
	mappings := maps.Clone(b.mappings)
	b.mu.Unlock() // a func may take locks of its own
	figures := make(map[string]Figure, len(mappings))
	for name, m := range mappings {
		figures[name] = m.Read()
	}
	return figures
}

// AskClockSkew has skew asked for how far the clock of this machine is ahead of that of AWS; ok is
// false while that is not known.
func (b *Board) AskClockSkew(skew func() (seconds float64, ok bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.skew = skew
}

// ClockSkew returns how far the clock of this machine is ahead of that of AWS in seconds, nil while
// that is not known.
func (b *Board) ClockSkew() *float64 {
	b.mu.Lock()
	skew := b.skew
	b.mu.Unlock()
	return asked(skew)
}
