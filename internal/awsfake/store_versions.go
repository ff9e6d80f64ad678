package awsfake

import (
	"slices"
	"time"
)

// insert makes o the current version of its key and gives it its version id. The caller holds mu.
func (b *Bucket) insert(o *object) {
	o.versionID = nullVersion
	if b.set.versioning == versioningEnabled {
		o.versionID = b.s3.cloud.random.letters(32)
	}
	if o.storageClass == "" {
		o.storageClass = classStandard
	}
	e := b.index.get(o.key)
	if e == nil {
		b.index.add(&entry{key: o.key, versions: []*object{o}})
		return
	}
	versions := []*object{o}
	for _, old := range e.versions {
		if old.versionID != o.versionID { // the null version is overwritten, others are kept
			versions = append(versions, old)
		}
	}
	e.versions = versions
}

// discard deletes a key as DeleteObject without a version id does. It returns the delete marker that
// a versioned bucket is left with. The caller holds mu.
func (b *Bucket) discard(key string) *object {
	if b.set.versioning != "" {
		marker := &object{key: key, marker: true, modified: b.s3.cloud.now().Truncate(time.Second)}
		b.insert(marker)
		return marker
	}
	if b.index.get(key) != nil {
		b.index.remove(key)
	}
	return nil
}

// discardVersion deletes one version for good. It returns it, nil when there was none. The caller holds mu.
func (b *Bucket) discardVersion(key, id string) *object {
	e := b.index.get(key)
	o := e.version(id)
	if o == nil {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(e.versions), func(v *object) bool { return v == o })
	if len(rest) == 0 {
		b.index.remove(key)
	} else {
		e.versions = rest
	}
	return o
}

// swap puts changed, a version with other tags, in the place of old, unless that is gone. The caller holds mu.
func (b *Bucket) swap(old, changed *object) bool {
	e := b.index.get(old.key)
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

// replace is swap for a caller that holds no lock.
func (b *Bucket) replace(old, changed *object) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.swap(old, changed)
}

// lookup finds a version, or with "" the newest; nil when there is none. A delete marker is found too.
func (b *Bucket) lookup(key, version string) *object {
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

// writerOf is the account that owns an object, "" when it is the bucket's own.
func (b *Bucket) writerOf(key string) string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if o := b.index.get(key).current(); o != nil && o.owner != b.account.ID() {
		return o.owner
	}
	return ""
}

// store makes o the current version of its key if the conditions hold at that moment.
func (b *Bucket) store(o *object, w writeConditions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := w.check(o.key, b.index.get(o.key).current()); err != nil {
		return err
	}
	b.insert(o)
	return nil
}

// meets checks the conditions ahead of the work; store checks them again.
func (b *Bucket) meets(key string, w writeConditions) error {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return w.check(key, b.index.get(key).current())
}

// erasure is what became of a delete.
type erasure struct {
	marker  bool   // a delete marker was written, or was what got deleted
	version string // of the marker, or of what got deleted
}

// erasing is a wish to delete a key, or one version of it, if its ETag meets the condition ("" is none).
type erasing struct{ key, version, condition string }

// erase does it, unless a lock holds the version, which bypass passes over where it may.
func (b *Bucket) erase(e erasing, bypass bool) (erasure, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e.condition != "" {
		current := b.index.get(e.key).current()
		if current == nil {
			return erasure{}, errNoSuchKey(e.key)
		}
		if !sameETag(e.condition, current.etag) {
			return erasure{}, errPreconditionFailed("If-Match")
		}
	}
	if e.version != "" {
		if o := b.index.get(e.key).version(e.version); o != nil && o.lock.holds(b.s3.cloud.now(), bypass) {
			return erasure{}, errLocked()
		}
		gone := b.discardVersion(e.key, e.version)
		return erasure{marker: gone != nil && gone.marker, version: e.version}, nil
	}
	if marker := b.discard(e.key); marker != nil {
		return erasure{marker: true, version: marker.versionID}, nil
	}
	return erasure{}, nil
}
