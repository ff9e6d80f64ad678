package upload

import (
	"cmp"
	"crypto/cipher"
	"crypto/md5" // S3's multipart ETag is the MD5 of the parts' MD5s
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/object"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// partList is the request body of CompleteMultipartUpload.
type partList struct {
	Part []struct {
		PartNumber int
		ETag       string
	}
}

func completeMultipartUpload(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutObject", q.Key, object.PartFacts(q, b, true)); err != nil {
		return nil, err
	}
	w, err := object.ReadWriteConditions(q)
	if err != nil {
		return nil, err
	}
	if w.Match != "" {
		if err := q.Allow(b, "s3:GetObject", q.Key, nil); err != nil {
			return nil, err
		}
	}
	var in partList
	body, err := q.ReadBody() // a checksum header belongs to the object, not to this body
	if err != nil {
		return nil, err
	}
	if err := call.ParseXML(body, &in); err != nil {
		return nil, err
	}
	u, err := b.Upload(q.Query.Get("uploadId"), q.Key)
	if err != nil {
		if o := b.AlreadyCompleted(q.Query.Get("uploadId"), q.Key); o != nil {
			return completed(q, b, o), nil
		}
		return nil, err
	}
	key, err := q.OpenDataKey(u.Crypt, b.Region)
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
	if err := b.Finish(u, o, w); err != nil {
		return nil, err
	}
	return completed(q, b, o), nil
}

// chooseParts returns the parts that the request lists, in the order of the request.
func chooseParts(b *store.Bucket, u *store.Upload, in *partList) ([]*store.Part, error) {
	if len(in.Part) == 0 {
		return nil, call.ErrMalformedXML()
	}
	for i := range in.Part[1:] {
		if in.Part[i+1].PartNumber <= in.Part[i].PartNumber {
			return nil, wire.Refuse(http.StatusBadRequest, "InvalidPartOrder",
				"The list of parts was not in ascending order. Parts must be ordered by part number.").With("UploadId", u.ID)
		}
	}
	var parts []*store.Part
	have := b.Parts(u)
	for i, listed := range in.Part {
		p := have[listed.PartNumber]
		if p == nil || !store.SameETag(listed.ETag, p.ETag) {
			return nil, wire.Refuse(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.  "+
				"The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.").
				With("UploadId", u.ID, "PartNumber", strconv.Itoa(listed.PartNumber), "ETag", strings.Trim(listed.ETag, `"`))
		}
		if i < len(in.Part)-1 && p.Size < call.MinPart {
			return nil, wire.Refuse(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size").
				With("ProposedSize", strconv.FormatInt(p.Size, 10), "MinSizeAllowed", strconv.Itoa(call.MinPart), "PartNumber", strconv.Itoa(p.Number), "ETag", p.ETag)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// assemble creates the object from its parts. The date of the object is the start of the upload
// ("Working with object metadata", Amazon S3 User Guide).
func assemble(q *call.Request, u *store.Upload, parts []*store.Part, key cipher.AEAD) (*store.Object, error) {
	var body content.Content
	var sizes []int64
	sums := md5.New()
	for _, p := range parts {
		body, sizes = append(body, p.Content...), append(sizes, p.Size)
		raw, err := hex.DecodeString(p.ETag)
		if err != nil {
			return nil, fmt.Errorf("decode ETag of part %d: %w", p.Number, err)
		}
		sums.Write(raw)
	}
	o := u.Draft.Object(q.Key, q.Cloud.Now(), u.Crypt, body, q.Store.CRC)
	o.Modified, o.Parts = u.Initiated, sizes
	o.ETag = fmt.Sprintf("%x-%d", sums.Sum(nil), len(parts))
	if o.Size > call.MaxObject {
		return nil, wire.Refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	if size := q.HTTP.Header.Get("X-Amz-Mp-Object-Size"); size != "" && size != strconv.FormatInt(o.Size, 10) {
		return nil, wire.ErrInvalidRequest("The provided 'x-amz-mp-object-size' header does not match what was computed.")
	}
	var err error
	o.Checksum, err = multipartChecksum(u, o, parts, key)
	if want := q.HTTP.Header.Get(content.ChecksumHeader(o.Checksum.Algorithm)); err == nil && want != "" && !o.Checksum.Composite && want != o.Checksum.Value {
		return nil, wire.Refuse(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", o.Checksum.Algorithm)
	}
	return o, err
}

func multipartChecksum(u *store.Upload, o *store.Object, parts []*store.Part, key cipher.AEAD) (content.Checksum, error) {
	if !u.Composite {
		return object.CopyChecksum(u.Draft.Algorithm, &store.Object{}, o, key)
	}
	h := content.NewHash(u.Draft.Algorithm)
	for i, p := range parts {
		raw, err := base64.StdEncoding.DecodeString(p.Checksum.Value)
		if err != nil || p.Checksum.Algorithm != u.Draft.Algorithm {
			return content.Checksum{}, wire.ErrInvalidRequest("The upload was created using a %s checksum. The complete request must include the checksum for each part. "+
				"It was missing for part %d in the request.", strings.ToLower(u.Draft.Algorithm), p.Number)
		}
		if p.Number != i+1 {
			return content.Checksum{}, wire.Refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again.")
		}
		h.Write(raw)
	}
	value := base64.StdEncoding.EncodeToString(h.Sum(nil)) + "-" + strconv.Itoa(len(parts))
	return content.Checksum{Algorithm: u.Draft.Algorithm, Value: value, Composite: true}, nil
}

func completed(q *call.Request, b *store.Bucket, o *store.Object) *wire.Response {
	x := wire.NewXML()
	x.OpenNS("CompleteMultipartUploadResult", call.Namespace)
	x.Element("Location", "http://"+cmp.Or(q.HTTP.Host, "s3."+b.Region+".amazonaws.com")+q.Path)
	x.Element("Bucket", b.Name())
	x.Element("Key", o.Key)
	x.Element("ETag", `"`+o.ETag+`"`)
	o.Checksum.Write(x)
	x.Element("ChecksumType", o.Checksum.Kind())
	x.Close("CompleteMultipartUploadResult")
	res := wire.AnswerXML(x)
	call.SetVersion(res.Header, b, o)
	call.SetEncryption(res.Header, o.Crypt)
	return res
}
