package awsfake

import (
	"cmp"
	"crypto/cipher"
	"crypto/md5" // Content-MD5 and ETags are MD5 by contract
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// draft is an object as the headers of a PutObject, CopyObject or CreateMultipartUpload describe it.
type draft struct {
	headers, metadata, tags map[string]string
	annotations             map[string]string
	storageClass            string
	redirect, acl           string
	lock                    Lock
	rule                    encryptionRule
	algorithm               string // of the checksum to keep; "" for S3's choice
	conditions              writeConditions
}

func (q *request) readDraft(b *Bucket) (*draft, error) {
	h := q.http.Header
	d := &draft{headers: systemHeaders(h), metadata: userMetadata(h), storageClass: cmp.Or(h.Get("X-Amz-Storage-Class"), classStandard), acl: h.Get("X-Amz-Acl")}
	if err := refuseForeignHeaders(h); err != nil {
		return nil, err
	}
	if !slices.Contains(storageClasses(), d.storageClass) {
		return nil, refuse(http.StatusBadRequest, "InvalidStorageClass", "The storage class you specified is not valid")
	}
	err := checkMetadata(d.metadata)
	if err != nil {
		return nil, err
	}
	if d.redirect, err = readRedirect(h); err != nil {
		return nil, err
	}
	if d.lock, err = q.readLock(b); err != nil {
		return nil, err
	}
	if d.tags, err = parseTagging(h.Get("X-Amz-Tagging")); err != nil {
		return nil, err
	}
	if d.rule, err = q.readEncryption(b); err != nil {
		return nil, err
	}
	d.algorithm = strings.ToUpper(h.Get("X-Amz-Checksum-Algorithm"))
	if d.algorithm != "" && q.cloud.crc.hash(d.algorithm) == nil {
		return nil, errInvalidRequest("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]")
	}
	d.conditions, err = q.readWriteConditions()
	return d, err
}

func storageClasses() []string {
	return []string{
		classStandard, "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", classIntelligentTiering, classGlacier, classDeepArchive, "GLACIER_IR",
	}
}

// refuseForeignHeaders names what a request asks for and the fake does not have, instead of dropping it.
func refuseForeignHeaders(h http.Header) error {
	for name := range h {
		lower := strings.ToLower(name)
		if strings.Contains(lower, "server-side-encryption-customer-") || lower == "x-amz-server-side-encryption-context" {
			return errNotImplemented(lower)
		}
		if strings.HasPrefix(lower, "x-amz-grant-") || lower == "x-amz-acl" && h.Get(name) != "bucket-owner-full-control" {
			return refuse(http.StatusBadRequest, "AccessControlListNotSupported", "The bucket does not allow ACLs")
		}
	}
	return nil
}

// facts are the condition keys that the draft brings to s3:PutObject. A bucket's default encryption
// is not among them: S3 sees only what the request says.
func (q *request) writeFacts(d *draft, creates bool) map[string][]string {
	f := map[string][]string{"s3:ObjectCreationOperation": {map[bool]string{true: "true", false: "false"}[creates]}}
	for key, header := range map[string]string{
		"s3:x-amz-server-side-encryption": "X-Amz-Server-Side-Encryption",
		"s3:x-amz-storage-class":          "X-Amz-Storage-Class",
		"s3:x-amz-copy-source":            "X-Amz-Copy-Source",
		"s3:x-amz-metadata-directive":     "X-Amz-Metadata-Directive",
		"s3:x-amz-acl":                    "X-Amz-Acl",
		"s3:if-match":                     "If-Match",
		"s3:if-none-match":                "If-None-Match",
	} {
		if v := q.http.Header.Get(header); v != "" {
			f[key] = []string{v}
		}
	}
	if d == nil {
		return f
	}
	if q.http.Header.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") != "" {
		f["s3:x-amz-server-side-encryption-aws-kms-key-id"] = []string{d.rule.key.arn}
	}
	for k, v := range d.tags {
		f["s3:RequestObjectTag/"+k] = []string{v}
	}
	if len(d.tags) > 0 {
		f["s3:RequestObjectTagKeys"] = slices.Sorted(maps.Keys(d.tags))
	}
	return f
}

// partFacts are the condition keys of a part and of the end of an upload. The ACL is that with which the upload was begun: policies that
// demand one do not refuse the parts, which cannot bring it (as clients that upload in parts under such policies show; no document says so).
func (q *request) partFacts(b *Bucket, creates bool) map[string][]string {
	f := q.writeFacts(nil, creates)
	b.mu.RLock()
	defer b.mu.RUnlock()
	if u := b.uploads[q.query.Get("uploadId")]; u != nil && u.key == q.key && u.draft.acl != "" {
		f["s3:x-amz-acl"] = []string{u.draft.acl}
	}
	return f
}

// allowWrite authorises writing the draft under the request's key.
func (q *request) allowWrite(b *Bucket, d *draft, creates bool) error {
	facts := q.writeFacts(d, creates)
	if err := q.allow(b, "s3:PutObject", q.key, facts); err != nil {
		return err
	}
	if q.http.Header.Get("X-Amz-Acl") != "" {
		if err := q.allow(b, "s3:PutObjectAcl", q.key, facts); err != nil {
			return err
		}
	}
	if len(d.tags) > 0 {
		if err := q.allow(b, "s3:PutObjectTagging", q.key, facts); err != nil {
			return err
		}
	}
	if err := q.allowLock(b, facts); err != nil {
		return err
	}
	if d.conditions.match != "" {
		return q.allow(b, "s3:GetObject", q.key, nil)
	}
	return nil
}

// writeConditions are If-Match and If-None-Match of a write ("Conditional writes", Amazon S3 User Guide).
type writeConditions struct{ match, noneMatch string }

func (q *request) readWriteConditions() (writeConditions, error) {
	if q.ignoresConditions {
		return writeConditions{}, nil
	}
	w := writeConditions{match: q.http.Header.Get("If-Match"), noneMatch: q.http.Header.Get("If-None-Match")}
	if w.noneMatch != "" && w.noneMatch != "*" {
		return w, errNotImplemented("If-None-Match other than *")
	}
	return w, nil
}

func (w writeConditions) check(key string, current *object) error {
	switch {
	case w.noneMatch != "" && current != nil:
		return errPreconditionFailed("If-None-Match")
	case w.match != "" && current == nil:
		return errNoSuchKey(key)
	case w.match != "" && !sameETag(w.match, current.etag):
		return errPreconditionFailed("If-Match")
	}
	return nil
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

func (q *request) putObject(b *Bucket) (*response, error) {
	d, err := q.readDraft(b)
	if err != nil {
		return nil, err
	}
	if err := q.allowWrite(b, d, true); err != nil {
		return nil, err
	}
	if err := d.lock.needsChecksum(q.http.Header); err != nil {
		return nil, err
	}
	if err := b.meets(q.key, d.conditions); err != nil {
		return nil, err
	}
	crypt, aead, err := q.generateDataKey(d.rule, b, q.key)
	if err != nil {
		return nil, err
	}
	got, err := q.receive(aead)
	if err != nil {
		return nil, err
	}
	o := d.object(q, crypt, got.content)
	o.checksum = got.checksum
	o.etag = q.cloud.singleETag(crypt, got.md5)
	if err := b.store(o, d.conditions); err != nil {
		return nil, err
	}
	return q.written(b, o), nil
}

// object is the draft filled with content; ETag and checksum are the caller's.
func (d *draft) object(q *request, crypt encryption, body content) *object {
	return &object{
		key: q.key, modified: q.cloud.now().Truncate(time.Second), content: body, size: body.size(),
		crypt: crypt, headers: d.headers, metadata: d.metadata, tags: d.tags, annotations: d.annotations, storageClass: d.storageClass,
		redirect: d.redirect, lock: d.lock,
		crc: body.checksum(q.cloud.crc),
	}
}

// written is the answer to a PutObject.
func (q *request) written(b *Bucket, o *object) *response {
	res := answer(http.StatusOK)
	res.header.Set("Etag", `"`+o.etag+`"`)
	setVersion(res.header, b, o)
	setEncryption(res.header, o.crypt)
	setChecksum(res.header, o.checksum)
	return res
}

// singleETag is the MD5 under SSE-S3, and opaque under KMS.
func (c *Cloud) singleETag(crypt encryption, sum []byte) string {
	if crypt.opaque() || sum == nil {
		return c.random.hex(16)
	}
	return hex.EncodeToString(sum)
}

// received is an upload's body at rest, with what was found while it was read.
type received struct {
	content  content
	md5      []byte
	checksum checksum
}

// receive reads and verifies the request's body and seals it.
func (q *request) receive(key cipher.AEAD) (*received, error) {
	p, err := q.payload()
	if err != nil {
		return nil, err
	}
	if p.size > maxSinglePut {
		return nil, refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	c, sum := q.cloud, md5.New()
	algorithm, want := sentChecksum(q.http.Header)
	sent := c.crc.hash(algorithm)
	r := io.TeeReader(p, sum)
	if sent != nil {
		r = io.TeeReader(r, sent)
	}
	s := &sealer{key: key, crc: c.crc, random: c.random}
	got := &received{}
	if got.content, err = s.take(r, p.size, c.knownPatterns()); err != nil {
		return nil, err
	}
	if err := ended(p); err != nil {
		return nil, err
	}
	got.md5 = sum.Sum(nil)
	if m := q.http.Header.Get("Content-Md5"); m != "" && m != base64.StdEncoding.EncodeToString(got.md5) {
		return nil, refuse(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	got.checksum = checksum{algorithm: algorithmCRC64NVME, value: encodeCRC64(got.content.checksum(c.crc))}
	if sent != nil {
		return got, got.compare(algorithm, cmp.Or(want, p.trailer.Get(checksumHeader(algorithm))), sent)
	}
	return got, nil
}

// ended reads the end of a body, where signatures and trailers are verified.
func ended(r io.Reader) error {
	if n, err := r.Read(make([]byte, 1)); n > 0 || err == nil {
		return errInvalidRequest("The request body is longer than it said")
	} else if err != io.EOF {
		return err
	}
	return nil
}

// compare checks the checksum that the client sent, which S3 keeps in the place of its own.
func (g *received) compare(algorithm, want string, h hash.Hash) error {
	value := base64.StdEncoding.EncodeToString(h.Sum(nil))
	if want != value {
		return refuse(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", algorithm)
	}
	g.checksum = checksum{algorithm: algorithm, value: value}
	return nil
}
