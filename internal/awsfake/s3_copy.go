package awsfake

import (
	"cmp"
	"crypto/cipher"
	"crypto/md5" // S3's ETag of an SSE-S3 object is the MD5 of its bytes
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// copySourcePrefix begins the headers that put conditions on the source of a copy.
const copySourcePrefix = "X-Amz-Copy-Source-"

// source opens the object that the request copies from: found, allowed, conditions met, readable.
func (q *request) source(b *Bucket) (reading, *object, error) {
	h := q.http.Header
	r := reading{action: "s3:GetObject"}
	bucket, err := "", error(nil)
	if bucket, r.key, r.version, err = copySource(h); err != nil {
		return r, nil, err
	}
	w, err := q.findBucket(bucket, h.Get("X-Amz-Source-Expected-Bucket-Owner"))
	if err != nil {
		return r, nil, err
	}
	if err := refuseCrossRegion(w, b); err != nil {
		return r, nil, err
	}
	r.bucket, r.point = w.bucket, w.point
	if err := q.mayReadFrom(b, r); err != nil {
		return r, nil, err
	}
	o, err := q.open(r)
	if err != nil {
		return r, nil, err
	}
	if err := readConditions(h, copySourcePrefix, o); err != nil {
		return r, nil, err
	}
	if err := q.refuseSSEC(o); err != nil {
		return r, nil, err
	}
	if o.archived(q.cloud.now()) {
		return r, nil, errArchived(o)
	}
	return r, o, nil
}

// mayReadFrom asks of the source's bucket what every request on a bucket is asked; b is the destination.
func (q *request) mayReadFrom(b *Bucket, r reading) error {
	if q.endpoint != nil && r.bucket.region != b.region {
		return refuse(http.StatusForbidden, "AccessDenied", "VPC endpoints do not support cross-region requests")
	}
	if !r.bucket.rates.take(r.key, false) {
		return throttled(serviceS3)
	}
	return q.checkPayer(r.bucket)
}

// copySource splits x-amz-copy-source, "bucket/key" or "/bucket/key" in URL encoding with an optional
// "?versionId=" behind it, or "ARN/object/key" with the ARN of an access point. S3 decodes a "+" as a space.
func copySource(h http.Header) (bucket, key, version string, err error) {
	raw := strings.TrimPrefix(h.Get("X-Amz-Copy-Source"), "/")
	if i := strings.LastIndex(raw, "?versionId="); i >= 0 {
		raw, version = raw[:i], raw[i+len("?versionId="):]
	}
	if decoded, err := url.QueryUnescape(raw); err == nil && strings.HasPrefix(decoded, "arn:") {
		bucket, key, _ = strings.Cut(decoded, "/object/")
	} else {
		bucket, key, _ = strings.Cut(raw, "/")
		key, err = url.QueryUnescape(key)
		if err != nil {
			key = ""
		}
	}
	if bucket == "" || key == "" {
		return "", "", "", errInvalidArgument("Invalid copy source object key")
	}
	return bucket, key, version, nil
}

func (q *request) copyObject(b *Bucket) (*response, error) {
	d, err := q.readDraft(b)
	if err != nil {
		return nil, err
	}
	r, src, err := q.source(b)
	if err != nil {
		return nil, err
	}
	if err := q.inherit(d, r, src); err != nil {
		return nil, err
	}
	if err := q.allowWrite(b, d, true); err != nil {
		return nil, err
	}
	if err := q.inheritAnnotations(b, d, r, src); err != nil {
		return nil, err
	}
	if err := q.refuseCopy(b, r, src); err != nil {
		return nil, err
	}
	if err := b.meets(q.key, d.conditions); err != nil {
		return nil, err
	}
	o, err := q.copyOf(b, d, r, src)
	if err != nil {
		return nil, err
	}
	if err := b.store(o, d.conditions); err != nil {
		return nil, err
	}
	return q.copied(b, o, r, src), nil
}

// inherit takes metadata and tags from the source unless the request replaces them. Nothing else is
// inherited: storage class and encryption are the request's or the bucket's.
func (q *request) inherit(d *draft, r reading, src *object) error {
	h := q.http.Header
	switch cmp.Or(h.Get("X-Amz-Metadata-Directive"), "COPY") {
	case "COPY":
		d.headers, d.metadata = maps.Clone(src.headers), maps.Clone(src.metadata)
	case "REPLACE":
	default:
		return errInvalidArgument("Unknown metadata directive.")
	}
	switch cmp.Or(h.Get("X-Amz-Tagging-Directive"), "COPY") {
	case "COPY":
		d.tags = maps.Clone(src.tags)
		if len(d.tags) > 0 {
			r.action = "s3:GetObjectTagging"
			return q.allowOn(r.way(), r.permission(), r.key, nil)
		}
	case "REPLACE":
	default:
		return errInvalidArgument("Unknown tagging directive.")
	}
	return nil
}

// refuseCopy refuses what one CopyObject cannot do.
func (q *request) refuseCopy(b *Bucket, r reading, src *object) error {
	if src.size > maxSinglePut {
		return errInvalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(maxSinglePut))
	}
	if r.bucket != b || r.key != q.key || r.version != "" {
		return nil
	}
	for _, name := range []string{
		"X-Amz-Storage-Class", "X-Amz-Server-Side-Encryption", "X-Amz-Checksum-Algorithm", "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled",
		redirectHeader,
	} {
		if q.http.Header.Get(name) != "" {
			return nil
		}
	}
	if q.http.Header.Get("X-Amz-Metadata-Directive") == "REPLACE" || q.http.Header.Get("X-Amz-Tagging-Directive") == "REPLACE" {
		return nil
	}
	return errInvalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing " +
		"the object's metadata, storage class, website redirect location or encryption attributes.")
}

// copyOf reads the source as the caller and seals it under the destination's key as the caller.
func (q *request) copyOf(b *Bucket, d *draft, r reading, src *object) (*object, error) {
	from, err := q.openDataKey(src.crypt, r.bucket.region)
	if err != nil {
		return nil, err
	}
	crypt, to, err := q.generateDataKey(d.rule, b, q.key)
	if err != nil {
		return nil, err
	}
	s := &sealer{key: to, crc: q.cloud.crc, random: q.cloud.random}
	body, err := src.content.reseal(s, from, 0, src.size)
	if err != nil {
		return nil, err
	}
	o := d.object(q, crypt, body)
	if o.checksum, err = q.cloud.copyChecksum(cmp.Or(d.algorithm, src.checksum.algorithm), src, o, to); err != nil {
		return nil, err
	}
	o.etag, err = q.cloud.copyETag(o, src, to)
	return o, err
}

// copyChecksum is the checksum of a copy: of the whole object, whatever the source had.
func (c *Cloud) copyChecksum(algorithm string, src, o *object, key cipher.AEAD) (checksum, error) {
	switch {
	case algorithm == "" || algorithm == algorithmCRC64NVME:
		return checksum{algorithm: algorithmCRC64NVME, value: encodeCRC64(o.crc)}, nil
	case algorithm == src.checksum.algorithm && !src.checksum.composite:
		return src.checksum, nil
	}
	h := c.crc.hash(algorithm)
	if _, err := io.Copy(h, o.content.reader(key, 0, o.size)); err != nil {
		return checksum{}, err
	}
	return checksum{algorithm: algorithm, value: base64.StdEncoding.EncodeToString(h.Sum(nil))}, nil
}

// copyETag is opaque under KMS; under SSE-S3 it is the MD5, but for synthetic bodies, whose MD5 would take too long.
func (c *Cloud) copyETag(o, src *object, key cipher.AEAD) (string, error) {
	if !o.crypt.opaque() && !src.crypt.opaque() && len(src.parts) == 0 {
		return src.etag, nil
	}
	if o.crypt.key != nil || o.content.synthetic() {
		return c.random.hex(16), nil
	}
	sum := md5.New()
	if _, err := io.Copy(sum, o.content.reader(key, 0, o.size)); err != nil {
		return "", err
	}
	return c.singleETag(o.crypt, sum.Sum(nil)), nil
}

func (q *request) copied(b *Bucket, o *object, r reading, src *object) *response {
	x := newXML()
	x.openNS("CopyObjectResult", s3Namespace)
	x.time("LastModified", o.modified)
	x.element("ETag", `"`+o.etag+`"`)
	x.element(checksumElement(o.checksum.algorithm), o.checksum.value)
	x.element("ChecksumType", o.checksum.kind())
	x.close("CopyObjectResult")
	res := answerXML(x)
	setVersion(res.header, b, o)
	setEncryption(res.header, o.crypt)
	setSourceVersion(res.header, r, src)
	return res
}

func setSourceVersion(h http.Header, r reading, src *object) {
	if r.bucket.versioned() {
		h.Set("X-Amz-Copy-Source-Version-Id", src.versionID)
	}
}
