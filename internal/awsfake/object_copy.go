package awsfake

import (
	"cmp"
	"crypto/cipher"
	"crypto/md5" // S3's ETag of an SSE-S3 object is the MD5 of its bytes
	"encoding/base64"
	"io"
	"maps"
)

func copyObject(q *s3Request, b *Bucket) (*response, error) {
	d, err := readDraft(q, b)
	if err != nil {
		return nil, err
	}
	r, src, err := source(q, b)
	if err != nil {
		return nil, err
	}
	if err := inherit(q, d, r, src); err != nil {
		return nil, err
	}
	if err := allowWrite(q, b, d, true); err != nil {
		return nil, err
	}
	if err := inheritAnnotations(q, b, d, r, src); err != nil {
		return nil, err
	}
	if err := refuseCopy(q, b, r, src); err != nil {
		return nil, err
	}
	if err := b.meets(q.key, d.conditions); err != nil {
		return nil, err
	}
	o, err := copyOf(q, b, d, r, src)
	if err != nil {
		return nil, err
	}
	if err := b.store(o, d.conditions); err != nil {
		return nil, err
	}
	return copied(q, b, o, r, src), nil
}

// inherit takes metadata and tags from the source unless the request replaces them. Nothing else is
// inherited: storage class and encryption are the request's or the bucket's.
func inherit(q *s3Request, d *draft, r reading, src *object) error {
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
func refuseCopy(q *s3Request, b *Bucket, r reading, src *object) error {
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
func copyOf(q *s3Request, b *Bucket, d *draft, r reading, src *object) (*object, error) {
	from, err := q.openDataKey(src.crypt, r.bucket.region)
	if err != nil {
		return nil, err
	}
	crypt, to, err := q.generateDataKey(d.rule, b, q.key)
	if err != nil {
		return nil, err
	}
	s := q.s3.sealer(to)
	body, err := s.reseal(src.content, from, 0, src.size)
	if err != nil {
		return nil, err
	}
	o := d.object(q.key, q.cloud.now(), crypt, body, q.s3.crc)
	if o.checksum, err = copyChecksum(cmp.Or(d.algorithm, src.checksum.algorithm), src, o, to); err != nil {
		return nil, err
	}
	o.etag, err = copyETag(q, o, src, to)
	return o, err
}

// copyChecksum is the checksum of a copy: of the whole object, whatever the source had.
func copyChecksum(algorithm string, src, o *object, key cipher.AEAD) (checksum, error) {
	switch {
	case algorithm == "" || algorithm == algorithmCRC64NVME:
		return checksum{algorithm: algorithmCRC64NVME, value: encodeCRC64(o.crc)}, nil
	case algorithm == src.checksum.algorithm && !src.checksum.composite:
		return src.checksum, nil
	}
	h := newHash(algorithm)
	if _, err := io.Copy(h, o.content.reader(key, 0, o.size)); err != nil {
		return checksum{}, err
	}
	return checksum{algorithm: algorithm, value: base64.StdEncoding.EncodeToString(h.Sum(nil))}, nil
}

// copyETag is opaque under KMS; under SSE-S3 it is the MD5, but for synthetic bodies, whose MD5 would take too long.
func copyETag(q *s3Request, o, src *object, key cipher.AEAD) (string, error) {
	if !o.crypt.opaque() && !src.crypt.opaque() && len(src.parts) == 0 {
		return src.etag, nil
	}
	if o.crypt.key != nil || o.content.synthetic() {
		return q.cloud.random.hex(16), nil
	}
	sum := md5.New()
	if _, err := io.Copy(sum, o.content.reader(key, 0, o.size)); err != nil {
		return "", err
	}
	return singleETag(q, o.crypt, sum.Sum(nil)), nil
}

func copied(q *s3Request, b *Bucket, o *object, r reading, src *object) *response {
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
