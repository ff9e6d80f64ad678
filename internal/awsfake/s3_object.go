package awsfake

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// reading is a wish to read one object, of the bucket in the path or of a copy source.
type reading struct {
	bucket       *Bucket
	point        *AccessPoint // through which it goes; nil for none
	key, version string
	action       string // "s3:GetObject"; with a version id S3 asks for another
}

func (r reading) way() way { return way{r.bucket, r.point} }

func (r reading) permission() string {
	if r.version == "" {
		return r.action
	}
	return strings.Replace(r.action, "Object", "ObjectVersion", 1)
}

// lookup finds the object, nil when there is none; a delete marker is found too.
func (r reading) lookup() *object {
	r.bucket.mu.RLock()
	defer r.bucket.mu.RUnlock()
	e := r.bucket.index.get(r.key)
	if e == nil {
		return nil
	}
	if r.version == "" {
		return e.versions[0]
	}
	return e.version(r.version)
}

// open authorises the reading and finds the object. A key that is not there is 404 for those who may
// list the bucket and 403 for others ("GetObject", Amazon S3 API Reference).
func (q *request) open(r reading) (*object, error) {
	o := r.lookup()
	facts := map[string][]string{}
	if r.version != "" {
		facts["s3:versionid"] = []string{r.version}
	}
	if o != nil {
		for k, v := range o.tags {
			facts["s3:ExistingObjectTag/"+k] = []string{v}
		}
	}
	if err := q.allowOn(r.way(), r.permission(), r.key, facts); err != nil {
		return nil, err
	}
	if o != nil && !o.marker {
		return o, nil
	}
	return nil, q.absent(r, o)
}

func (q *request) absent(r reading, o *object) error {
	if r.version != "" && o != nil {
		return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.").
			withHeader("X-Amz-Delete-Marker", "true").withHeader("Allow", "DELETE")
	}
	if err := q.allowOn(r.way(), "s3:ListBucket", "", nil); err != nil {
		return err
	}
	if r.version != "" {
		return errNoSuchVersion(r.key, r.version)
	}
	if o != nil {
		return errNoSuchKey(r.key).withHeader("X-Amz-Delete-Marker", "true").withHeader("X-Amz-Version-Id", o.versionID)
	}
	return errNoSuchKey(r.key)
}

func (q *request) target(b *Bucket, action string) reading {
	return reading{bucket: b, point: q.point, key: q.key, version: q.query.Get("versionId"), action: action}
}

func (q *request) headObject(b *Bucket) (*response, error) {
	o, err := q.openForGet(b)
	if err != nil {
		return nil, err
	}
	if q.wantsChecksum() {
		if _, err := q.openDataKey(o.crypt, b.region); err != nil {
			return nil, err
		}
	}
	return q.objectAnswer(b, o)
}

func (q *request) getObject(b *Bucket) (*response, error) {
	o, err := q.openForGet(b)
	if err != nil {
		return nil, err
	}
	if o.archived(q.cloud.now()) {
		return nil, errArchived(o)
	}
	key, err := q.openDataKey(o.crypt, b.region)
	if err != nil {
		return nil, err
	}
	res, err := q.objectAnswer(b, o)
	if err != nil {
		return nil, err
	}
	from := int64(0)
	if r, ok := q.requestedRange(o); ok {
		from = r.from
	}
	res.body = o.content.reader(key, from, res.size)
	return res, nil
}

func (q *request) openForGet(b *Bucket) (*object, error) {
	if q.http.Header.Get("X-Amz-Server-Side-Encryption") != "" {
		return nil, errInvalidArgument("x-amz-server-side-encryption header is not supported for this operation.")
	}
	o, err := q.open(q.target(b, "s3:GetObject"))
	if err != nil {
		return nil, err
	}
	if err := q.refuseSSEC(o); err != nil {
		return nil, err
	}
	return o, readConditions(q.http.Header, "", o)
}

func (q *request) wantsChecksum() bool {
	return strings.EqualFold(q.http.Header.Get("X-Amz-Checksum-Mode"), "ENABLED")
}

// objectAnswer is the answer of GET and HEAD but for the body.
func (q *request) objectAnswer(b *Bucket, o *object) (*response, error) {
	res := answer(http.StatusOK)
	h := res.header
	describe(h, b, o)
	o.showArchive(h, q.cloud.now())
	q.showLock(h, b, o)
	h.Set("Accept-Ranges", "bytes")
	for name := range overrides() {
		if v := q.query.Get(name); v != "" {
			h.Set(overrides()[name], v)
		}
	}
	res.size = o.size
	r, ranged := q.requestedRange(o)
	if !ranged {
		if q.wantsChecksum() {
			setChecksum(h, o.checksum)
		}
		return res, nil
	}
	if r.from >= o.size || r.from > r.to {
		return nil, refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable").
			with("RangeRequested", q.http.Header.Get("Range"), "ActualObjectSize", strconv.FormatInt(o.size, 10))
	}
	res.status, res.size = http.StatusPartialContent, r.to-r.from+1
	h.Set("Content-Range", "bytes "+strconv.FormatInt(r.from, 10)+"-"+strconv.FormatInt(r.to, 10)+"/"+strconv.FormatInt(o.size, 10))
	if q.query.Has("partNumber") {
		h.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(o.parts)))
	}
	return res, nil
}

func overrides() map[string]string {
	return map[string]string{
		"response-content-type": "Content-Type", "response-content-language": "Content-Language",
		"response-expires": "Expires", "response-cache-control": "Cache-Control",
		"response-content-disposition": "Content-Disposition", "response-content-encoding": "Content-Encoding",
	}
}

// describe sets the headers that say what the object is.
func describe(h http.Header, b *Bucket, o *object) {
	h.Set("Etag", `"`+o.etag+`"`)
	h.Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	for name, value := range o.headers {
		h.Set(name, value)
	}
	showMetadata(h, o.metadata)
	if o.redirect != "" {
		h.Set(redirectHeader, o.redirect)
	}
	if o.storageClass != classStandard {
		h.Set("X-Amz-Storage-Class", o.storageClass)
	}
	if len(o.tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.tags)))
	}
	setVersion(h, b, o)
	setEncryption(h, o.crypt)
}

func setVersion(h http.Header, b *Bucket, o *object) {
	if b.versioned() {
		h.Set("X-Amz-Version-Id", o.versionID)
	}
}

func setEncryption(h http.Header, e encryption) {
	if e.customer {
		return
	}
	h.Set("X-Amz-Server-Side-Encryption", e.algorithm())
	if e.key == nil {
		return
	}
	h.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", e.key.arn)
	if e.bucketKey {
		h.Set("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "true")
	}
}

func setChecksum(h http.Header, s checksum) {
	if s.algorithm != "" {
		h.Set(checksumHeader(s.algorithm), s.value)
		h.Set("X-Amz-Checksum-Type", s.kind())
	}
}

// byteRange is inclusive at both ends.
type byteRange struct{ from, to int64 }

// requestedRange is what of the object the request wants; false for the whole of it. A Range header
// that S3 does not understand is ignored, as RFC 9110 section 14.2 asks.
func (q *request) requestedRange(o *object) (byteRange, bool) {
	if n, err := strconv.Atoi(q.query.Get("partNumber")); err == nil && o.size > 0 {
		return partRange(o, n), true
	}
	spec, found := strings.CutPrefix(q.http.Header.Get("Range"), "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !found || !dash {
		return byteRange{}, false
	}
	from, errFrom := strconv.ParseInt(first, 10, 64)
	to, errTo := strconv.ParseInt(last, 10, 64)
	switch {
	case errFrom == nil && last == "":
		return byteRange{from, o.size - 1}, true
	case errFrom == nil && errTo == nil && from <= to:
		return byteRange{from, min(to, o.size-1)}, true
	case first == "" && errTo == nil:
		if to == 0 {
			return byteRange{o.size, o.size}, true
		}
		return byteRange{max(o.size-to, 0), o.size - 1}, true
	}
	return byteRange{}, false
}

func partRange(o *object, number int) byteRange {
	if len(o.parts) == 0 && number == 1 {
		return byteRange{0, o.size - 1}
	}
	if number < 1 || number > len(o.parts) {
		return byteRange{o.size, o.size}
	}
	from := int64(0)
	for _, size := range o.parts[:number-1] {
		from += size
	}
	return byteRange{from, from + o.parts[number-1] - 1}
}

// readConditions evaluates If-Match and its kin, or with a prefix those of a copy source, which fail
// with 412 where a GET answers 304 ("CopyObject", Amazon S3 API Reference).
func readConditions(h http.Header, prefix string, o *object) error {
	match, noneMatch := h.Get(prefix+"If-Match"), h.Get(prefix+"If-None-Match")
	unmodified, errU := http.ParseTime(h.Get(prefix + "If-Unmodified-Since"))
	modified, errM := http.ParseTime(h.Get(prefix + "If-Modified-Since"))
	if match != "" && !sameETag(match, o.etag) {
		return errPreconditionFailed(prefix + "If-Match")
	}
	if match == "" && errU == nil && o.modified.After(unmodified) {
		return errPreconditionFailed(prefix + "If-Unmodified-Since")
	}
	failed := ""
	if noneMatch != "" && sameETag(noneMatch, o.etag) {
		failed = prefix + "If-None-Match"
	} else if noneMatch == "" && errM == nil && !o.modified.Truncate(time.Second).After(modified) {
		failed = prefix + "If-Modified-Since"
	}
	switch {
	case failed == "":
		return nil
	case prefix != "":
		return errPreconditionFailed(failed)
	}
	return refuse(http.StatusNotModified, "NotModified", "Not Modified").withHeader("Etag", `"`+o.etag+`"`)
}

// sameETag compares a condition's ETag, quoted or not, with an object's; "*" is any.
func sameETag(condition, etag string) bool {
	return condition == "*" || strings.Trim(condition, `"`) == etag
}

func (q *request) deleteObject(b *Bucket) (*response, error) {
	version := q.query.Get("versionId")
	action, facts := "s3:DeleteObject", map[string][]string(nil)
	if version != "" {
		action, facts = "s3:DeleteObjectVersion", map[string][]string{"s3:versionid": {version}}
	}
	if err := q.allow(b, action, q.key, facts); err != nil {
		return nil, err
	}
	condition := q.http.Header.Get("If-Match")
	if condition != "" && condition != "*" {
		if err := q.allow(b, "s3:GetObject", q.key, nil); err != nil {
			return nil, err
		}
	}
	d, err := q.erase(b, erasing{q.key, version, condition})
	if err != nil {
		return nil, err
	}
	res := answer(http.StatusNoContent)
	if d.marker {
		res.header.Set("X-Amz-Delete-Marker", "true")
	}
	if d.version != "" {
		res.header.Set("X-Amz-Version-Id", d.version)
	}
	return res, nil
}

// erasure is what became of a delete.
type erasure struct {
	marker  bool   // a delete marker was written, or was what got deleted
	version string // of the marker, or of what got deleted
}

// erasing is a wish to delete a key, or one version of it, if its ETag meets the condition ("" is none).
type erasing struct{ key, version, condition string }

// erase does it, unless a lock holds the version.
func (q *request) erase(b *Bucket, e erasing) (erasure, error) {
	bypass, err := q.bypass(b, e.key)
	if err != nil {
		return erasure{}, err
	}
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
		if o := b.index.get(e.key).version(e.version); o != nil && o.lock.holds(q.cloud.now(), bypass) {
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
