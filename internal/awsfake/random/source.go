// Package random generates the keys, nonces, IDs and opaque ETags of a cloud.
//
// By default the bytes are cryptographically strong. With a seed the sequence is repeatable, so
// that a run can be repeated, but its keys give no protection. This package defines only the
// alphabet of IDs; its callers define their format.
//
// Terms: a seed makes a [Source] repeatable. Letters are the alphabet of AWS's IDs, A to Z and 2 to
// 7.
package random

import (
	crand "crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"sync"
)

// Source generates keys, nonces, IDs and opaque ETags. It is cryptographically strong if the system
// seeded it, and repeatable if the caller seeded it.
type Source struct {
	mu  sync.Mutex
	src *rand.ChaCha8
}

// New returns a source that is repeatable for a seed. With 0 the system seeds it.
func New(seed uint64) *Source {
	var key [32]byte
	if seed != 0 {
		binary.LittleEndian.PutUint64(key[:], seed)
	} else {
		_, _ = crand.Read(key[:]) // Read never returns an error; it ends the process instead
	}
	return &Source{src: rand.NewChaCha8(key)}
}

// Bytes returns n random bytes.
func (r *Source) Bytes(n int) []byte {
	b := make([]byte, n)
	r.mu.Lock()
	defer r.mu.Unlock()
	_, _ = r.src.Read(b) // documented never to fail
	return b
}

// Float returns a number in [0, 1).
func (r *Source) Float() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return float64(r.src.Uint64()>>11) / (1 << 53)
}

// Hex returns n random bytes as 2n lower-case hexadecimal digits.
func (r *Source) Hex(n int) string { return hex.EncodeToString(r.Bytes(n)) }

// Letters returns n random characters of AWS's ID alphabet (A-Z and 2-7).
func (r *Source) Letters(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	b := r.Bytes(n)
	for i := range b {
		b[i] = alphabet[b[i]%32]
	}
	return string(b)
}

// UUID returns a random UUID of version 4.
func (r *Source) UUID() string {
	b := r.Bytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
