package store

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/internal/awsfake/wire"
)

func errNoSuchUpload(id string) *wire.Error {
	return wire.Refuse(http.StatusNotFound, "NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.").With("UploadId", id)
}

// Begin adds an upload.
func (b *Bucket) Begin(u *Upload) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.uploads[u.ID] = u
}

// Upload returns the upload with that ID and key.
func (b *Bucket) Upload(id, key string) (*Upload, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	u := b.uploads[id]
	if u == nil || u.Key != key {
		return nil, errNoSuchUpload(id)
	}
	return u, nil
}

// KeepPart stores a part, replacing an earlier one with the same number. It fails if the upload has
// ended.
func (b *Bucket) KeepPart(u *Upload, p *Part) error {
	p.Size, p.Modified = p.Content.Size(), b.s3.cloud.Now().Truncate(time.Second)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.uploads[u.ID] != u {
		return errNoSuchUpload(u.ID)
	}
	u.Parts[p.Number] = p
	return nil
}

// Parts returns the parts of an upload by number.
func (b *Bucket) Parts(u *Upload) map[int]*Part {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return maps.Clone(u.Parts)
}

// Abort ends an upload without creating an object.
func (b *Bucket) Abort(u *Upload) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.uploads, u.ID)
}

// Finish stores the object and ends the upload in one atomic step.
func (b *Bucket) Finish(u *Upload, o *Object, w Conditions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.uploads[u.ID] != u {
		return errNoSuchUpload(u.ID)
	}
	if err := w.check(o.Key, b.index.get(o.Key).current()); err != nil {
		return err
	}
	b.insert(o)
	delete(b.uploads, u.ID)
	b.completed[u.ID] = o
	return nil
}

// AlreadyCompleted returns the object that a completed upload created, or nil.
func (b *Bucket) AlreadyCompleted(id, key string) *Object {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if o := b.completed[id]; o != nil && o.Key == key {
		return o
	}
	return nil
}

// UploadsAfter returns the uploads with the prefix that follow a marker, sorted by key and then ID.
// The marker is a key and, optionally, an upload ID. Without an ID, all uploads of the key are
// skipped; with an ID, only the uploads of that key up to and including the ID.
func (b *Bucket) UploadsAfter(prefix, key, id string) []*Upload {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []*Upload
	for _, u := range b.uploads {
		after := u.Key > key || u.Key == key && id != "" && u.ID > id
		if strings.HasPrefix(u.Key, prefix) && (key == "" || after) {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *Upload) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.ID, b.ID))
	})
	return out
}
