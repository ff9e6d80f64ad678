package store

import (
	"slices"
	"time"

	"syncd/internal/awsfake/wire"
)

// insert makes o the current version of its key and sets its version ID. The caller must hold mu.
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
		if old.VersionID != o.VersionID { // a new null version overwrites the old one; other versions are kept
			versions = append(versions, old)
		}
	}
	e.versions = versions
}

// discard deletes a key as DeleteObject without a version ID does. In a versioned bucket it returns
// the new delete marker. The caller must hold mu.
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

// discardVersion permanently deletes one version. It returns the version, or nil if there was none.
// The caller must hold mu.
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

// swap replaces old with changed, the same version with other properties, for example tags. It
// returns false if old no longer exists. The caller holds mu.
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

// Replace is like swap for a caller that does not hold the lock.
func (b *Bucket) Replace(old, changed *Object) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.swap(old, changed)
}

// Lookup returns a version, or the newest one if version is "". It returns nil if there is none.
// The result can be a delete marker.
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

// WriterOf returns the account that owns an object, or "" if that is the bucket's account.
func (b *Bucket) WriterOf(key string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if o := b.index.get(key).current(); o != nil && o.Owner != b.Account.ID() {
		return o.Owner
	}
	return ""
}

// Store atomically checks the conditions and makes o the current version of its key.
func (b *Bucket) Store(o *Object, w Conditions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := w.check(o.Key, b.index.get(o.Key).current()); err != nil {
		return err
	}
	b.insert(o)
	return nil
}

// Meets checks the conditions in advance; Store checks them again.
func (b *Bucket) Meets(key string, w Conditions) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return w.check(key, b.index.get(key).current())
}

// Erasure is the result of a delete.
type Erasure struct {
	Marker  bool   // a delete marker was created or deleted
	Version string // version ID of the marker or of the deleted version
}

// Erasing describes a delete of a key, or of one version. If Condition is not "", the ETag must
// match it.
type Erasing struct{ Key, Version, Condition string }

// Erase deletes a key or version, unless a lock prevents it. With bypass, it ignores locks that can
// be bypassed.
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

// Admit counts a request on the given key, or a listing of the given prefix, and reports whether it
// is within the bucket's rates.
func (b *Bucket) Admit(key string, writes bool) bool { return b.rates.take(key, writes) }
