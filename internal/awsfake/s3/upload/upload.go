package upload

import (
	"crypto/cipher"
	"crypto/md5" // S3's ETags are MD5
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/object"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

func createMultipartUpload(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	d, err := object.ReadDraft(q, b)
	if err != nil {
		return nil, err
	}
	if err := object.AllowWrite(q, b, d, false); err != nil {
		return nil, err
	}
	crypt, _, err := q.GenerateDataKey(d.Rule, b, q.Key)
	if err != nil {
		return nil, err
	}
	u := &store.Upload{
		ID: q.Cloud.Random.Letters(64), Key: q.Key, Initiator: q.Caller.Caller.ARN, Initiated: q.Cloud.Now().Truncate(time.Second),
		Draft: d, Crypt: crypt, Parts: map[int]*store.Part{},
	}
	if u.Composite, err = compositeType(d.Algorithm, q.HTTP.Header.Get("X-Amz-Checksum-Type")); err != nil {
		return nil, err
	}
	b.Begin(u)
	x := wire.NewXML()
	x.OpenNS("InitiateMultipartUploadResult", call.Namespace)
	x.Element("Bucket", b.Name())
	x.Element("Key", u.Key)
	x.Element("UploadId", u.ID)
	x.Close("InitiateMultipartUploadResult")
	res := wire.AnswerXML(x)
	call.SetEncryption(res.Header, crypt)
	if d.Algorithm != "" {
		res.Header.Set("X-Amz-Checksum-Algorithm", d.Algorithm)
		res.Header.Set("X-Amz-Checksum-Type", content.Checksum{Composite: u.Composite}.Kind())
	}
	return res, nil
}

// compositeType reports whether the object's checksum is composite. A CRC64NVME always covers the
// full object, and a SHA is always composite. For another CRC the request chooses; composite is the
// default ("Checking object integrity", Amazon S3 User Guide).
func compositeType(algorithm, asked string) (bool, error) {
	sha := algorithm == content.AlgorithmSHA1 || algorithm == content.AlgorithmSHA256
	full := algorithm == "" || algorithm == content.AlgorithmCRC64NVME
	if asked == "COMPOSITE" && full || asked == "FULL_OBJECT" && sha {
		return false, wire.ErrInvalidRequest("The %s checksum type cannot be used with the %s checksum algorithm.", asked, strings.ToLower(algorithm))
	}
	return !full && asked != "FULL_OBJECT", nil
}

// openUpload authorises the upload of a part and decrypts the upload's data key. This is why
// uploading parts with KMS requires kms:Decrypt on the destination's key.
func openUpload(q *call.Request, b *store.Bucket) (*store.Upload, cipher.AEAD, error) {
	if err := q.Allow(b, "s3:PutObject", q.Key, object.PartFacts(q, b, false)); err != nil {
		return nil, nil, err
	}
	u, err := b.Upload(q.Query.Get("uploadId"), q.Key)
	if err != nil {
		return nil, nil, err
	}
	key, err := q.OpenDataKey(u.Crypt, b.Region)
	return u, key, err
}

func partNumber(q *call.Request) (int, error) {
	n, err := strconv.Atoi(q.Query.Get("partNumber"))
	if err != nil || n < 1 || n > call.MaxParts {
		return 0, wire.ErrInvalidArgument("Part number must be an integer between 1 and %d, inclusive", call.MaxParts)
	}
	return n, nil
}

func uploadPart(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	n, err := partNumber(q)
	if err != nil {
		return nil, err
	}
	u, key, err := openUpload(q, b)
	if err != nil {
		return nil, err
	}
	if algorithm, _ := content.SentChecksum(q.HTTP.Header); algorithm != "" && u.Draft.Algorithm != "" && algorithm != u.Draft.Algorithm {
		return nil, wire.ErrInvalidRequest("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
			strings.ToLower(u.Draft.Algorithm), strings.ToLower(algorithm))
	}
	got, err := object.Receive(q, key)
	if err != nil {
		return nil, err
	}
	p := &store.Part{Number: n, Content: got.Content, Checksum: got.Checksum, ETag: object.SingleETag(q, u.Crypt, got.MD5)}
	if err := b.KeepPart(u, p); err != nil {
		return nil, err
	}
	res := wire.Answer(http.StatusOK)
	res.Header.Set("Etag", `"`+p.ETag+`"`)
	call.SetEncryption(res.Header, u.Crypt)
	res.Header.Set(content.ChecksumHeader(p.Checksum.Algorithm), p.Checksum.Value)
	return res, nil
}

func uploadPartCopy(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	n, err := partNumber(q)
	if err != nil {
		return nil, err
	}
	r, src, err := object.Source(q, b)
	if err != nil {
		return nil, err
	}
	want, err := copyRange(q, src)
	if err != nil {
		return nil, err
	}
	u, to, err := openUpload(q, b)
	if err != nil {
		return nil, err
	}
	from, err := q.OpenDataKey(src.Crypt, r.Bucket.Region)
	if err != nil {
		return nil, err
	}
	p := &store.Part{Number: n}
	s := q.Store.Sealer(to)
	if p.Content, err = s.Reseal(src.Content, from, want.From, want.To-want.From+1); err != nil {
		return nil, err
	}
	if err := sumPart(q, u, p, to); err != nil {
		return nil, err
	}
	if err := b.KeepPart(u, p); err != nil {
		return nil, err
	}
	x := wire.NewXML()
	x.OpenNS("CopyPartResult", call.Namespace)
	x.Time("LastModified", p.Modified)
	x.Element("ETag", `"`+p.ETag+`"`)
	p.Checksum.Write(x)
	x.Close("CopyPartResult")
	res := wire.AnswerXML(x)
	call.SetEncryption(res.Header, u.Crypt)
	object.SetSourceVersion(res.Header, r, src)
	return res, nil
}

// sumPart sets the ETag of a copied part, and its checksum, computed with the upload's algorithm.
func sumPart(q *call.Request, u *store.Upload, p *store.Part, key cipher.AEAD) error {
	p.Checksum = content.Checksum{Algorithm: content.AlgorithmCRC64NVME, Value: content.EncodeCRC64(p.Content.Checksum(q.Store.CRC))}
	if a := u.Draft.Algorithm; a != "" && a != content.AlgorithmCRC64NVME {
		h := content.NewHash(a)
		if _, err := io.Copy(h, p.Content.Reader(key, 0, p.Content.Size())); err != nil {
			return err
		}
		p.Checksum = content.Checksum{Algorithm: a, Value: base64.StdEncoding.EncodeToString(h.Sum(nil))}
	}
	if u.Crypt.Key != nil || p.Content.Synthetic() {
		p.ETag = q.Cloud.Random.Hex(16)
		return nil
	}
	sum := md5.New()
	if _, err := io.Copy(sum, p.Content.Reader(key, 0, p.Content.Size())); err != nil {
		return err
	}
	p.ETag = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// copyRange returns the range of the source that becomes the part; by default the whole source.
func copyRange(q *call.Request, src *store.Object) (object.ByteRange, error) {
	text := q.HTTP.Header.Get("X-Amz-Copy-Source-Range")
	r := object.ByteRange{From: 0, To: src.Size - 1}
	if text != "" {
		first, last, _ := strings.Cut(strings.TrimPrefix(text, "bytes="), "-")
		from, errFrom := strconv.ParseInt(first, 10, 64)
		to, errTo := strconv.ParseInt(last, 10, 64)
		switch {
		case errFrom != nil || errTo != nil || !strings.HasPrefix(text, "bytes=") || from > to:
			return r, wire.ErrInvalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last " +
				"are the zero-based offsets of the first and last bytes to copy")
		case to >= src.Size:
			return r, wire.ErrInvalidArgument("Range specified is not valid for source object of size: %d", src.Size)
		case src.Size <= call.MinPart:
			return r, wire.ErrInvalidRequest("The specified copy source is not supported as a byte-range copy source")
		}
		r = object.ByteRange{From: from, To: to}
	}
	if r.To-r.From+1 > call.MaxSinglePut {
		return r, wire.ErrInvalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(call.MaxSinglePut))
	}
	return r, nil
}
