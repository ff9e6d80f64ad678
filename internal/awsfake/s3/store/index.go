package store

import (
	"iter"
	"slices"
	"strings"
)

// chunkSize is the maximum number of entries in one chunk of an index. A fuller chunk is split.
const chunkSize = 512

// index contains a bucket's keys in byte order, as a list of sorted chunks. An insert moves at most
// one chunk, and two binary searches find a page of a listing.
type index struct {
	chunks [][]*entry
	byKey  map[string]*entry
}

// entry is a key with its versions, newest first. It has at least one version.
type entry struct {
	key      string
	versions []*Object
}

// current returns the newest version, or nil if that is a delete marker.
func (e *entry) current() *Object {
	if e == nil || e.versions[0].Marker {
		return nil
	}
	return e.versions[0]
}

// version returns the version with that ID, or nil.
func (e *entry) version(id string) *Object {
	if e == nil {
		return nil
	}
	i := slices.IndexFunc(e.versions, func(o *Object) bool { return o.VersionID == id })
	if i < 0 {
		return nil
	}
	return e.versions[i]
}

func newIndex() *index { return &index{byKey: map[string]*entry{}} }

func (x *index) get(key string) *entry { return x.byKey[key] }

func (x *index) add(e *entry) {
	x.byKey[e.key] = e
	if len(x.chunks) == 0 {
		x.chunks = [][]*entry{{e}}
		return
	}
	i := max(x.chunkOf(e.key), 0)
	at, _ := slices.BinarySearchFunc(x.chunks[i], e.key, compareEntry)
	x.chunks[i] = slices.Insert(x.chunks[i], at, e)
	if n := len(x.chunks[i]); n > chunkSize {
		// If the new key is the last key of the index, keep its chunk full, so that keys added in
		// order fill the chunks completely.
		cut := n / 2
		if at == n-1 && i == len(x.chunks)-1 {
			cut = n - 1
		}
		right := append(make([]*entry, 0, chunkSize+1), x.chunks[i][cut:]...)
		x.chunks[i] = slices.Clip(x.chunks[i][:cut])
		x.chunks = slices.Insert(x.chunks, i+1, right)
	}
}

func (x *index) remove(key string) {
	delete(x.byKey, key)
	i := x.chunkOf(key)
	at, found := slices.BinarySearchFunc(x.chunks[i], key, compareEntry)
	if !found {
		panic("BUG: key in the map but not in the chunks of an index")
	}
	x.chunks[i] = slices.Delete(x.chunks[i], at, at+1)
	if len(x.chunks[i]) == 0 {
		x.chunks = slices.Delete(x.chunks, i, i+1)
	}
}

// chunkOf returns the index of the last chunk that starts at or before key, or -1 if all start
// after it.
func (x *index) chunkOf(key string) int {
	i, found := slices.BinarySearchFunc(x.chunks, key, func(c []*entry, key string) int {
		return strings.Compare(c[0].key, key)
	})
	if found {
		return i
	}
	return i - 1
}

// from yields the entries with keys at or after key, in byte order.
func (x *index) from(key string) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		first := max(x.chunkOf(key), 0)
		for i := first; i < len(x.chunks); i++ {
			chunk := x.chunks[i]
			if i == first {
				at, _ := slices.BinarySearchFunc(chunk, key, compareEntry)
				chunk = chunk[at:]
			}
			for _, e := range chunk {
				if !yield(e) {
					return
				}
			}
		}
	}
}

func compareEntry(e *entry, key string) int { return strings.Compare(e.key, key) }

// after returns the smallest key after every key with that prefix, or false if there is none.
func after(prefix string) (string, bool) {
	b := []byte(prefix)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] < 0xff {
			b[i]++
			return string(b[:i+1]), true
		}
	}
	return "", false
}
