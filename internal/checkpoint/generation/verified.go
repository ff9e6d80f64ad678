package generation

import (
	"sync"

	"syncd/internal/checkpoint/record"
)

// Verified remembers which chunks this process has verified, so that they are not verified again
// when the process reopens a ledger. The content of a chunk with a given name never changes. Damage
// that occurs after the check is found when the chunk is read. The zero Verified contains no chunks.
type Verified struct {
	mu     sync.Mutex
	chunks map[string]verified // by name
}

// verified is what was verified of a chunk.
type verified struct {
	sum    string // SHA256
	isFull bool   // the whole chunk, not only its size and footer
}

// Forget makes the next Verify check all chunks again. Call it when a chunk turns out to be damaged.
func (v *Verified) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.chunks = nil
}

// has reports whether a chunk was verified, and, if full is true, whether all of it was.
func (v *Verified) has(c record.Chunk, full bool) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	was, ok := v.chunks[c.Name]
	return ok && was.sum == c.SHA256 && (was.isFull || !full)
}

func (v *Verified) add(c record.Chunk, full bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.chunks == nil {
		v.chunks = map[string]verified{}
	}
	v.chunks[c.Name] = verified{c.SHA256, full}
}

// keep forgets all chunks except those that m names.
func (v *Verified) keep(m record.Manifest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept := map[string]verified{}
	for _, c := range record.ChunksOf(m.Runs, m.QuarantineRuns) {
		if was, ok := v.chunks[c.Name]; ok {
			kept[c.Name] = was
		}
	}
	v.chunks = kept
}
