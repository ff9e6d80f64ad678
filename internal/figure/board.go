package figure

import (
	"maps"
	"sync"
)

// Board contains the Mapping of each mapping of the process. Create it with NewBoard.
type Board struct {
	mu       sync.Mutex
	mappings map[string]*Mapping
	skew     func() (seconds float64, ok bool)
}

// NewBoard returns a Board without mappings.
func NewBoard() *Board {
	return &Board{mappings: map[string]*Mapping{}}
}

// Of returns the Mapping with the given name. If the board does not have it, Of adds it with all
// values unknown.
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

// Known returns the Mapping with the given name, or nil if it is not on the board.
func (b *Board) Known(mapping string) *Mapping {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mappings[mapping]
}

// Forget removes a mapping from the board. Values that are set on its Mapping afterwards are not
// displayed.
func (b *Board) Forget(mapping string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.mappings, mapping)
}

// All returns the figures of all mappings.
func (b *Board) All() map[string]Figure {
	b.mu.Lock()
	mappings := maps.Clone(b.mappings)
	b.mu.Unlock() // without b.mu, because the funcs of a mapping can acquire other locks
	figures := make(map[string]Figure, len(mappings))
	for name, m := range mappings {
		figures[name] = m.Read()
	}
	return figures
}

// AskClockSkew sets the func that returns how far the clock of this machine is ahead of the AWS
// clock; ok is false while that is unknown.
func (b *Board) AskClockSkew(skew func() (seconds float64, ok bool)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.skew = skew
}

// ClockSkew returns how many seconds the clock of this machine is ahead of the AWS clock, or nil if
// that is unknown.
func (b *Board) ClockSkew() *float64 {
	b.mu.Lock()
	skew := b.skew
	b.mu.Unlock()
	return asked(skew)
}
