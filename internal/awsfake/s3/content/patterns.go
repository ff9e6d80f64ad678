package content

import (
	"maps"
	"slices"
	"sync"
)

// maxPatterns is the number of patterns that uploads are compared with.
const maxPatterns = 64

// Patterns are the patterns of the synthetic bodies put so far.
type Patterns struct {
	mu     sync.Mutex
	bySeed map[uint64]*pattern
}

// add registers a pattern so that uploads are compared with it, unless maxPatterns are registered.
// If a pattern with the same seed is already registered, add returns that pattern, otherwise p.
func (k *Patterns) add(p *pattern) *pattern {
	k.mu.Lock()
	defer k.mu.Unlock()
	if known := k.bySeed[p.seed]; known != nil {
		return known
	}
	if k.bySeed == nil {
		k.bySeed = map[uint64]*pattern{}
	}
	if len(k.bySeed) < maxPatterns {
		k.bySeed[p.seed] = p
	}
	return p
}

func (k *Patterns) all() []*pattern {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Collect(maps.Values(k.bySeed))
}
