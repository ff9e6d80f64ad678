package record

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
)

// Hashes is a set of keys, of which only the first 8 bytes of their SHA-256 are stored, in ascending order.
type Hashes []uint64

// mostHashes is the maximum size of a set. A larger set is emptied: then nothing is known of its keys.
const mostHashes = 1 << 16

// HashesOf returns the set of the given keys.
func HashesOf(keys ...string) (set Hashes) {
	for _, key := range keys {
		set = append(set, hashOf(key))
	}
	return set.with(nil)
}

func hashOf(key string) uint64 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint64(sum[:])
}

// Contains reports whether the set has a key. It is wrong for one of 2^64/len(h) other keys.
func (h Hashes) Contains(key string) bool {
	_, ok := slices.BinarySearch(h, hashOf(key))
	return ok
}

// with returns the set of the keys of both sets.
func (h Hashes) with(o Hashes) Hashes {
	all := slices.Concat(h, o)
	slices.Sort(all)
	if all = slices.Compact(all); len(all) > mostHashes {
		return nil
	}
	return all
}

// MarshalJSON encodes the set as base64 of 8 bytes for each key, big-endian.
func (h Hashes) MarshalJSON() ([]byte, error) {
	data := make([]byte, 0, 8*len(h))
	for _, hash := range h {
		data = binary.BigEndian.AppendUint64(data, hash)
	}
	return json.Marshal(data)
}

// UnmarshalJSON reverses MarshalJSON.
func (h *Hashes) UnmarshalJSON(text []byte) error {
	var data []byte
	if err := json.Unmarshal(text, &data); err != nil {
		return fmt.Errorf("decode hashes of keys: %w", err)
	}
	if len(data)%8 != 0 {
		return fmt.Errorf("hashes of keys have %d bytes, which is no multiple of 8", len(data))
	}
	*h = nil
	for each := range slices.Chunk(data, 8) {
		*h = append(*h, binary.BigEndian.Uint64(each))
	}
	if !slices.IsSorted(*h) {
		return fmt.Errorf("%d hashes of keys are not in order", len(*h))
	}
	return nil
}
