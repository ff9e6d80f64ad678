package awsfake

import (
	"cmp"
	"crypto/cipher"
	"crypto/md5" // S3 makes multipart ETags of the MD5 of the parts' MD5s
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// partList is the body of CompleteMultipartUpload.
type partList struct {
	Part []struct {
		PartNumber int
		ETag       string
	}
}

func completeMultipartUpload(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutObject", q.key, partFacts(q, b, true)); err != nil {
		return nil, err
	}
	w, err := readWriteConditions(q)
	if err != nil {
		return nil, err
	}
	if w.match != "" {
		if err := q.allow(b, "s3:GetObject", q.key, nil); err != nil {
			return nil, err
		}
	}
	var in partList
	body, err := q.readBody() // a checksum that comes with it is that of the object
	if err != nil {
		return nil, err
	}
	if err := parseXML(body, &in); err != nil {
		return nil, err
	}
	u, err := b.upload(q.query.Get("uploadId"), q.key)
	if err != nil {
		if o := b.alreadyCompleted(q.query.Get("uploadId"), q.key); o != nil {
			return completed(q, b, o), nil
		}
		return nil, err
	}
	key, err := q.openDataKey(u.crypt, b.region)
	if err != nil {
		return nil, err
	}
	parts, err := chooseParts(b, u, &in)
	if err != nil {
		return nil, err
	}
	o, err := assemble(q, u, parts, key)
	if err != nil {
		return nil, err
	}
	if err := b.finish(u, o, w); err != nil {
		return nil, err
	}
	return completed(q, b, o), nil
}

// chooseParts finds the parts that the request lists, in their order.
func chooseParts(b *Bucket, u *upload, in *partList) ([]*part, error) {
	if len(in.Part) == 0 {
		return nil, errMalformedXML()
	}
	for i := range in.Part[1:] {
		if in.Part[i+1].PartNumber <= in.Part[i].PartNumber {
			return nil, refuse(http.StatusBadRequest, "InvalidPartOrder",
				"The list of parts was not in ascending order. Parts must be ordered by part number.").with("UploadId", u.id)
		}
	}
	var parts []*part
	have := b.parts(u)
	for i, listed := range in.Part {
		p := have[listed.PartNumber]
		if p == nil || !sameETag(listed.ETag, p.etag) {
			return nil, refuse(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.  "+
				"The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.").
				with("UploadId", u.id, "PartNumber", strconv.Itoa(listed.PartNumber), "ETag", strings.Trim(listed.ETag, `"`))
		}
		if i < len(in.Part)-1 && p.size < minPart {
			return nil, refuse(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size").
				with("ProposedSize", strconv.FormatInt(p.size, 10), "MinSizeAllowed", strconv.Itoa(minPart), "PartNumber", strconv.Itoa(p.number), "ETag", p.etag)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// assemble makes the object of its parts. Its date is the upload's beginning ("Working with object
// metadata", Amazon S3 User Guide).
func assemble(q *s3Request, u *upload, parts []*part, key cipher.AEAD) (*object, error) {
	var body content
	var sizes []int64
	sums := md5.New()
	for _, p := range parts {
		body, sizes = append(body, p.content...), append(sizes, p.size)
		raw, err := hex.DecodeString(p.etag)
		if err != nil {
			return nil, fmt.Errorf("decode ETag of part %d: %w", p.number, err)
		}
		sums.Write(raw)
	}
	o := u.draft.object(q.key, q.cloud.now(), u.crypt, body, q.s3.crc)
	o.modified, o.parts = u.initiated, sizes
	o.etag = fmt.Sprintf("%x-%d", sums.Sum(nil), len(parts))
	if o.size > maxObject {
		return nil, refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	if size := q.http.Header.Get("X-Amz-Mp-Object-Size"); size != "" && size != strconv.FormatInt(o.size, 10) {
		return nil, errInvalidRequest("The provided 'x-amz-mp-object-size' header does not match what was computed.")
	}
	var err error
	o.checksum, err = multipartChecksum(u, o, parts, key)
	if want := q.http.Header.Get(checksumHeader(o.checksum.algorithm)); err == nil && want != "" && !o.checksum.composite && want != o.checksum.value {
		return nil, refuse(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", o.checksum.algorithm)
	}
	return o, err
}

func multipartChecksum(u *upload, o *object, parts []*part, key cipher.AEAD) (checksum, error) {
	if !u.composite {
		return copyChecksum(u.draft.algorithm, &object{}, o, key)
	}
	h := newHash(u.draft.algorithm)
	for i, p := range parts {
		raw, err := base64.StdEncoding.DecodeString(p.checksum.value)
		if err != nil || p.checksum.algorithm != u.draft.algorithm {
			return checksum{}, errInvalidRequest("The upload was created using a %s checksum. The complete request must include the checksum for each part. "+
				"It was missing for part %d in the request.", strings.ToLower(u.draft.algorithm), p.number)
		}
		if p.number != i+1 {
			return checksum{}, refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
		}
		h.Write(raw)
	}
	value := base64.StdEncoding.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
	return checksum{algorithm: u.draft.algorithm, value: value, composite: true}, nil
}

func completed(q *s3Request, b *Bucket, o *object) *response {
	x := newXML()
	x.openNS("CompleteMultipartUploadResult", s3Namespace)
	x.element("Location", "http://"+cmp.Or(q.http.Host, "s3."+b.region+".amazonaws.com")+q.path)
	x.element("Bucket", b.Name())
	x.element("Key", o.key)
	x.element("ETag", `"`+o.etag+`"`)
	x.element(checksumElement(o.checksum.algorithm), o.checksum.value)
	x.element("ChecksumType", o.checksum.kind())
	x.close("CompleteMultipartUploadResult")
	res := answerXML(x)
	setVersion(res.header, b, o)
	setEncryption(res.header, o.crypt)
	return res
}
