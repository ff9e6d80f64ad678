package generation

import (
	"slices"
	"sync"

	"syncd/internal/checkpoint/record"
)

// Verified remembers which chunks this process has read from end to end and found intact, so that
// they are not read again when the process reopens a ledger. The content of a chunk with a given
// name never changes. Damage that occurs after the check is found when the chunk is read. The zero
// Verified contains no chunks.
type Verified struct {
	mu     sync.Mutex
	chunks map[string]string // SHA256 by name
}

// Forget makes the next Verify read all chunks again. Call it when a chunk turns out to be damaged.
func (v *Verified) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.chunks = nil
}

func (v *Verified) has(c record.Chunk) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.chunks[c.Name] == c.SHA256 && c.SHA256 != ""
}

func (v *Verified) add(c record.Chunk) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.chunks == nil {
		v.chunks = map[string]string{}
	}
	v.chunks[c.Name] = c.SHA256
}

// keep forgets all chunks except those that m names.
func (v *Verified) keep(m record.Manifest) {
	v.mu.Lock()
	defer v.mu.Unlock()
	kept := map[string]string{}
	for _, c := range slices.Concat(m.Chunks, m.QuarantineChunks) {
		if sum, ok := v.chunks[c.Name]; ok {
			kept[c.Name] = sum
		}
	}
	v.chunks = kept
}
