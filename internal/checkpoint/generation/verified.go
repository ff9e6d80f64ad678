package generation

import (
	"slices"
	"sync"

	"syncd/internal/checkpoint/record"
)

// Verified knows which chunks this process has read end to end and found whole, so that a ledger
// that is opened again need not read them all again. A chunk never changes under its name; what
// rots later is met when it is read. The zero Verified has seen none.
type Verified struct {
	mu     sync.Mutex
	chunks map[string]string // name to SHA256
}

// Forget has every chunk read again. It is called when one of them proved to be damaged.
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

// keep forgets all chunks but those of a generation.
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
