package object

import (
	"cmp"
	"crypto/cipher"
	"crypto/md5" // S3's ETags are MD5
	"encoding/base64"
	"io"
	"maps"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

func copyObject(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	d, err := ReadDraft(q, b)
	if err != nil {
		return nil, err
	}
	r, src, err := Source(q, b)
	if err != nil {
		return nil, err
	}
	if err := inherit(q, d, r, src); err != nil {
		return nil, err
	}
	if err := AllowWrite(q, b, d, true); err != nil {
		return nil, err
	}
	if err := inheritAnnotations(q, b, d, r, src); err != nil {
		return nil, err
	}
	if err := refuseCopy(q, b, r, src); err != nil {
		return nil, err
	}
	if err := b.Meets(q.Key, d.Conditions); err != nil {
		return nil, err
	}
	o, err := copyOf(q, b, d, r, src)
	if err != nil {
		return nil, err
	}
	if err := b.Store(o, d.Conditions); err != nil {
		return nil, err
	}
	return copied(b, o, r, src), nil
}

// inherit copies metadata and tags from the source unless the request replaces them. Other
// properties are not inherited: the storage class and the encryption come from the request or the
// bucket.
func inherit(q *call.Request, d *store.Draft, r call.Reading, src *store.Object) error {
	h := q.HTTP.Header
	switch cmp.Or(h.Get("X-Amz-Metadata-Directive"), "COPY") {
	case "COPY":
		d.Headers, d.Metadata = maps.Clone(src.Headers), maps.Clone(src.Metadata)
	case "REPLACE":
	default:
		return wire.ErrInvalidArgument("Unknown metadata directive.")
	}
	switch cmp.Or(h.Get("X-Amz-Tagging-Directive"), "COPY") {
	case "COPY":
		d.Tags = maps.Clone(src.Tags)
		if len(d.Tags) > 0 {
			r.Action = "s3:GetObjectTagging"
			return q.AllowOn(r.Way(), r.Permission(), r.Key, nil)
		}
	case "REPLACE":
	default:
		return wire.ErrInvalidArgument("Unknown tagging directive.")
	}
	return nil
}

// refuseCopy rejects a source that is too large for a single CopyObject, and a copy of an object to
// itself without any change.
func refuseCopy(q *call.Request, b *store.Bucket, r call.Reading, src *store.Object) error {
	if src.Size > call.MaxSinglePut {
		return wire.ErrInvalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(call.MaxSinglePut))
	}
	if r.Bucket != b || r.Key != q.Key || r.Version != "" {
		return nil
	}
	for _, name := range []string{
		"X-Amz-Storage-Class", "X-Amz-Server-Side-Encryption", "X-Amz-Checksum-Algorithm", "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled",
		redirectHeader,
	} {
		if q.HTTP.Header.Get(name) != "" {
			return nil
		}
	}
	if q.HTTP.Header.Get("X-Amz-Metadata-Directive") == "REPLACE" || q.HTTP.Header.Get("X-Amz-Tagging-Directive") == "REPLACE" {
		return nil
	}
	return wire.ErrInvalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing " +
		"the object's metadata, storage class, website redirect location or encryption attributes.")
}

// copyOf reads the source as the caller and encrypts it with the destination's key as the caller.
func copyOf(q *call.Request, b *store.Bucket, d *store.Draft, r call.Reading, src *store.Object) (*store.Object, error) {
	from, err := q.OpenDataKey(src.Crypt, r.Bucket.Region)
	if err != nil {
		return nil, err
	}
	crypt, to, err := q.GenerateDataKey(d.Rule, b, q.Key)
	if err != nil {
		return nil, err
	}
	s := q.Store.Sealer(to)
	body, err := s.Reseal(src.Content, from, 0, src.Size)
	if err != nil {
		return nil, err
	}
	o := d.Object(q.Key, q.Cloud.Now(), crypt, body, q.Store.CRC)
	if o.Checksum, err = CopyChecksum(cmp.Or(d.Algorithm, src.Checksum.Algorithm), src, o, to); err != nil {
		return nil, err
	}
	o.ETag, err = copyETag(q, o, src, to)
	return o, err
}

// CopyChecksum returns the checksum of a copy. It covers the full object, even if the source's
// checksum is composite.
func CopyChecksum(algorithm string, src, o *store.Object, key cipher.AEAD) (content.Checksum, error) {
	switch {
	case algorithm == "" || algorithm == content.AlgorithmCRC64NVME:
		return content.Checksum{Algorithm: content.AlgorithmCRC64NVME, Value: content.EncodeCRC64(o.CRC)}, nil
	case algorithm == src.Checksum.Algorithm && !src.Checksum.Composite:
		return src.Checksum, nil
	}
	h := content.NewHash(algorithm)
	if _, err := io.Copy(h, o.Content.Reader(key, 0, o.Size)); err != nil {
		return content.Checksum{}, err
	}
	return content.Checksum{Algorithm: algorithm, Value: base64.StdEncoding.EncodeToString(h.Sum(nil))}, nil
}

// copyETag returns the ETag of a copy. The ETag is opaque if the copy is encrypted with KMS, or if
// its body is synthetic, because an MD5 would then take too long. Otherwise the ETag is the MD5.
func copyETag(q *call.Request, o, src *store.Object, key cipher.AEAD) (string, error) {
	if !o.Crypt.Opaque() && !src.Crypt.Opaque() && len(src.Parts) == 0 {
		return src.ETag, nil
	}
	if o.Crypt.Key != nil || o.Content.Synthetic() {
		return q.Cloud.Random.Hex(16), nil
	}
	sum := md5.New()
	if _, err := io.Copy(sum, o.Content.Reader(key, 0, o.Size)); err != nil {
		return "", err
	}
	return SingleETag(q, o.Crypt, sum.Sum(nil)), nil
}

func copied(b *store.Bucket, o *store.Object, r call.Reading, src *store.Object) *wire.Response {
	x := wire.NewXML()
	x.OpenNS("CopyObjectResult", call.Namespace)
	x.Time("LastModified", o.Modified)
	x.Element("ETag", `"`+o.ETag+`"`)
	o.Checksum.Write(x)
	x.Element("ChecksumType", o.Checksum.Kind())
	x.Close("CopyObjectResult")
	res := wire.AnswerXML(x)
	call.SetVersion(res.Header, b, o)
	call.SetEncryption(res.Header, o.Crypt)
	SetSourceVersion(res.Header, r, src)
	return res
}
