package store

import (
	"slices"
	"time"

	"syncd/internal/awsfake/wire"
)

// insert makes o the current version of its key and gives it its version id. The caller holds mu.
func (b *Bucket) insert(o *Object) {
	o.VersionID = nullVersion
	if b.set.Versioning == VersioningEnabled {
		o.VersionID = b.s3.cloud.Random.Letters(32)
	}
	if o.StorageClass == "" {
		o.StorageClass = ClassStandard
	}
	e := b.index.get(o.Key)
	if e == nil {
		b.index.add(&entry{key: o.Key, versions: []*Object{o}})
		return
	}
	versions := []*Object{o}
	for _, old := range e.versions {
		if old.VersionID != o.VersionID { // the null version is overwritten, others are kept
			versions = append(versions, old)
		}
	}
	e.versions = versions
}

// discard deletes a key as DeleteObject without a version id does. It returns the delete marker
// that a versioned bucket is left with. The caller holds mu.
func (b *Bucket) discard(key string) *Object {
	if b.set.Versioning != "" {
		marker := &Object{Key: key, Marker: true, Modified: b.s3.cloud.Now().Truncate(time.Second)}
		b.insert(marker)
		return marker
	}
	if b.index.get(key) != nil {
		b.index.remove(key)
	}
	return nil
}

// discardVersion deletes one version for good. It returns it, nil when there was none. The caller
// holds mu.
func (b *Bucket) discardVersion(key, id string) *Object {
	e := b.index.get(key)
	o := e.version(id)
	if o == nil {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(e.versions), func(v *Object) bool { return v == o })
	if len(rest) == 0 {
		b.index.remove(key)
	} else {
		e.versions = rest
	}
	return o
}

// swap puts changed, a version with other tags, in the place of old, unless that is gone. The
// caller holds mu.
func (b *Bucket) swap(old, changed *Object) bool {
	e := b.index.get(old.Key)
	if e == nil {
		return false
	}
	i := slices.Index(e.versions, old)
	if i < 0 {
		return false
	}
	e.versions = slices.Clone(e.versions)
	e.versions[i] = changed
	return true
}

// Replace is swap for a caller that holds no lock.
func (b *Bucket) Replace(old, changed *Object) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.swap(old, changed)
}

// Lookup finds a version, or with "" the newest; nil when there is none. A delete marker is found
// too.
func (b *Bucket) Lookup(key, version string) *Object {
	b.mu.RLock()
	defer b.mu.RUnlock()
	e := b.index.get(key)
	if e == nil {
		return nil
	}
	if version == "" {
		return e.versions[0]
	}
	return e.version(version)
}

// WriterOf is the account that owns an object, "" when it is the bucket's own.
func (b *Bucket) WriterOf(key string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if o := b.index.get(key).current(); o != nil && o.Owner != b.Account.ID() {
		return o.Owner
	}
	return ""
}

// Store makes o the current version of its key if the conditions hold at that moment.
func (b *Bucket) Store(o *Object, w Conditions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := w.check(o.Key, b.index.get(o.Key).current()); err != nil {
		return err
	}
	b.insert(o)
	return nil
}

// Meets checks the conditions ahead of the work; store checks them again.
func (b *Bucket) Meets(key string, w Conditions) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return w.check(key, b.index.get(key).current())
}

// Erasure is what became of a delete.
type Erasure struct {
	Marker  bool   // a delete marker was written, or was what got deleted
	Version string // of the marker, or of what got deleted
}

// Erasing is a wish to delete a key, or one version of it, if its ETag meets the condition ("" is
// none).
type Erasing struct{ Key, Version, Condition string }

// Erase does it, unless a lock holds the version, which bypass passes over where it may.
func (b *Bucket) Erase(e Erasing, bypass bool) (Erasure, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.Condition != "" {
		current := b.index.get(e.Key).current()
		if current == nil {
			return Erasure{}, wire.ErrNoSuchKey(e.Key)
		}
		if !SameETag(e.Condition, current.ETag) {
			return Erasure{}, wire.ErrPreconditionFailed("If-Match")
		}
	}
	if e.Version != "" {
		if o := b.index.get(e.Key).version(e.Version); o != nil && o.Lock.holds(b.s3.cloud.Now(), bypass) {
			return Erasure{}, errLocked()
		}
		gone := b.discardVersion(e.Key, e.Version)
		return Erasure{Marker: gone != nil && gone.Marker, Version: e.Version}, nil
	}
	if marker := b.discard(e.Key); marker != nil {
		return Erasure{Marker: true, Version: marker.VersionID}, nil
	}
	return Erasure{}, nil
}

// Admit reports whether a request on that key, or for a listing of that prefix, is within the
// bucket's rates, and counts it.
func (b *Bucket) Admit(key string, writes bool) bool { return b.rates.take(key, writes) }
