package store

import (
	"fmt"
	"io"
	"time"

	"syncd/internal/awsfake/rate"
)

// Delete deletes a key without an S3 request, and so without authorisation. In a versioned bucket
// it leaves a delete marker.
func (b *Bucket) Delete(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.discard(key)
}

// Object returns the current version of a key, or false if it does not exist or is deleted.
func (b *Bucket) Object(key string) (ObjectInfo, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	o := b.index.get(key).current()
	if o == nil {
		return ObjectInfo{}, false
	}
	return o.info(b.s3.cloud.Now()), true
}

// Keys returns the keys that a listing would return, in byte order.
func (b *Bucket) Keys() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	keys := []string{}
	for e := range b.index.from("") {
		if e.current() != nil {
			keys = append(keys, e.key)
		}
	}
	return keys
}

// Read returns the bytes of a key's current version without an S3 request, and so without
// authorisation. It succeeds even if the KMS key cannot be used.
func (b *Bucket) Read(key string) ([]byte, error) {
	b.mu.RLock()
	o := b.index.get(key).current()
	b.mu.RUnlock()
	if o == nil {
		return nil, fmt.Errorf("read %s/%s: no such key", b.name, key)
	}
	aead, err := b.s3.UnwrapKey(o.Crypt)
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", b.name, key, err)
	}
	data, err := io.ReadAll(o.Content.Reader(aead, 0, o.Size))
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", b.name, key, err)
	}
	return data, nil
}

// Uploads returns the number of multipart uploads in progress.
func (b *Bucket) Uploads() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.uploads)
}

// Versions returns every version of a key that is not a delete marker, newest first.
func (b *Bucket) Versions(key string) []ObjectInfo {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []ObjectInfo
	if e := b.index.get(key); e != nil {
		for _, o := range e.versions {
			if !o.Marker {
				out = append(out, o.info(b.s3.cloud.Now()))
			}
		}
	}
	return out
}

// Markers returns when the delete markers of a key were added, newest first, in full seconds.
func (b *Bucket) Markers(key string) (added []time.Time) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if e := b.index.get(key); e != nil {
		for _, o := range e.versions {
			if o.Marker {
				added = append(added, o.Modified)
			}
		}
	}
	return added
}

// restoredFor is how long an object restored with [Bucket.Restore] can be read.
const restoredFor = 7 * 24 * time.Hour

// Restore makes the current version of an archived key readable, without a request: for seven days
// of the cloud's clock, or permanently if the object was in the archive tier of
// INTELLIGENT_TIERING. It panics if the key does not exist or is not archived.
func (b *Bucket) Restore(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.index.get(key).current()
	if o == nil || !o.InArchive() {
		panic(fmt.Sprintf("BUG: nothing archived at %s/%s", b.name, key))
	}
	restored := *o
	restored.ArchiveTier = false
	if o.StorageClass != ClassIntelligentTiering {
		restored.RestoredUntil = b.s3.cloud.Now().Add(restoredFor)
	}
	b.swap(o, &restored)
}

// SetRates limits the requests on each prefix of the bucket. A burst can have one request more than
// the limit allows in a tenth of a second.
func (b *Bucket) SetRates(r Rates) {
	b.rates.mu.Lock()
	defer b.rates.mu.Unlock()
	b.rates.set, b.rates.reads, b.rates.write = r, map[string]*rate.Limiter{}, map[string]*rate.Limiter{}
}
