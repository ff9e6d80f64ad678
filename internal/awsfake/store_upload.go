package awsfake

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// upload is a multipart upload under way.
type upload struct {
	id, key   string
	initiator string // the caller's ARN
	initiated time.Time
	draft     *draft
	crypt     encryption
	composite bool          // the checksum is made of the parts' checksums
	parts     map[int]*part // guarded by Bucket.mu
}

// part is one uploaded part.
type part struct {
	number   int
	etag     string
	size     int64
	modified time.Time
	content  content
	checksum checksum
}

func errNoSuchUpload(id string) *apiError {
	return refuse(http.StatusNotFound, "NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.").with("UploadId", id)
}

// begin adds an upload.
func (b *Bucket) begin(u *upload) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.uploads[u.id] = u
}

// upload is the upload of that id, if it is of that key.
func (b *Bucket) upload(id, key string) (*upload, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	u := b.uploads[id]
	if u == nil || u.key != key {
		return nil, errNoSuchUpload(id)
	}
	return u, nil
}

// keepPart replaces the part of that number, unless the upload has ended meanwhile.
func (b *Bucket) keepPart(u *upload, p *part) error {
	p.size, p.modified = p.content.size(), b.s3.cloud.now().Truncate(time.Second)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.uploads[u.id] != u {
		return errNoSuchUpload(u.id)
	}
	u.parts[p.number] = p
	return nil
}

// parts are those of an upload, by their numbers.
func (b *Bucket) parts(u *upload) map[int]*part {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return maps.Clone(u.parts)
}

// abort ends an upload without an object.
func (b *Bucket) abort(u *upload) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.uploads, u.id)
}

// finish stores the object and ends the upload in one step.
func (b *Bucket) finish(u *upload, o *object, w writeConditions) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.uploads[u.id] != u {
		return errNoSuchUpload(u.id)
	}
	if err := w.check(o.key, b.index.get(o.key).current()); err != nil {
		return err
	}
	b.insert(o)
	delete(b.uploads, u.id)
	b.completed[u.id] = o
	return nil
}

func (b *Bucket) alreadyCompleted(id, key string) *object {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if o := b.completed[id]; o != nil && o.key == key {
		return o
	}
	return nil
}

// uploadsAfter are the uploads by key and then id, after the marker. A key marker alone leaves out
// that key's uploads; with an id marker, those up to it.
func (b *Bucket) uploadsAfter(prefix, key, id string) []*upload {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []*upload
	for _, u := range b.uploads {
		after := u.key > key || u.key == key && id != "" && u.id > id
		if strings.HasPrefix(u.key, prefix) && (key == "" || after) {
			out = append(out, u)
		}
	}
	slices.SortFunc(out, func(a, b *upload) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.id, b.id))
	})
	return out
}
