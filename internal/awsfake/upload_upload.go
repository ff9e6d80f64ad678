package awsfake

import (
	"crypto/cipher"
	"crypto/md5" // the ETag of a part under SSE-S3
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

func createMultipartUpload(q *s3Request, b *Bucket) (*response, error) {
	d, err := readDraft(q, b)
	if err != nil {
		return nil, err
	}
	if err := allowWrite(q, b, d, false); err != nil {
		return nil, err
	}
	crypt, _, err := q.generateDataKey(d.rule, b, q.key)
	if err != nil {
		return nil, err
	}
	u := &upload{
		id: q.cloud.random.letters(64), key: q.key, initiator: q.caller.caller.ARN, initiated: q.cloud.now().Truncate(time.Second),
		draft: d, crypt: crypt, parts: map[int]*part{},
	}
	if u.composite, err = compositeType(d.algorithm, q.http.Header.Get("X-Amz-Checksum-Type")); err != nil {
		return nil, err
	}
	b.begin(u)
	x := newXML()
	x.openNS("InitiateMultipartUploadResult", s3Namespace)
	x.element("Bucket", b.Name())
	x.element("Key", u.key)
	x.element("UploadId", u.id)
	x.close("InitiateMultipartUploadResult")
	res := answerXML(x)
	setEncryption(res.header, crypt)
	if d.algorithm != "" {
		res.header.Set("X-Amz-Checksum-Algorithm", d.algorithm)
		res.header.Set("X-Amz-Checksum-Type", checksum{composite: u.composite}.kind())
	}
	return res, nil
}

// compositeType says which type of checksum the object gets: CRC64NVME is always of the full object,
// SHA always composite, and the other CRCs as asked, composite by default ("Checking object
// integrity", Amazon S3 User Guide).
func compositeType(algorithm, asked string) (bool, error) {
	sha := algorithm == algorithmSHA1 || algorithm == algorithmSHA256
	full := algorithm == "" || algorithm == algorithmCRC64NVME
	if asked == "COMPOSITE" && full || asked == "FULL_OBJECT" && sha {
		return false, errInvalidRequest("The %s checksum type cannot be used with the %s checksum algorithm.", asked, strings.ToLower(algorithm))
	}
	return !full && asked != "FULL_OBJECT", nil
}

// openUpload authorises sending a part, and opens the upload's data key, which is why uploading parts
// under KMS needs kms:Decrypt on the destination's key.
func openUpload(q *s3Request, b *Bucket) (*upload, cipher.AEAD, error) {
	if err := q.allow(b, "s3:PutObject", q.key, partFacts(q, b, false)); err != nil {
		return nil, nil, err
	}
	u, err := b.upload(q.query.Get("uploadId"), q.key)
	if err != nil {
		return nil, nil, err
	}
	key, err := q.openDataKey(u.crypt, b.region)
	return u, key, err
}

func partNumber(q *s3Request) (int, error) {
	n, err := strconv.Atoi(q.query.Get("partNumber"))
	if err != nil || n < 1 || n > maxParts {
		return 0, errInvalidArgument("Part number must be an integer between 1 and %d, inclusive", maxParts)
	}
	return n, nil
}

func uploadPart(q *s3Request, b *Bucket) (*response, error) {
	n, err := partNumber(q)
	if err != nil {
		return nil, err
	}
	u, key, err := openUpload(q, b)
	if err != nil {
		return nil, err
	}
	if algorithm, _ := sentChecksum(q.http.Header); algorithm != "" && u.draft.algorithm != "" && algorithm != u.draft.algorithm {
		return nil, errInvalidRequest("Checksum Type mismatch occurred, expected checksum Type: %s, actual checksum Type: %s",
			strings.ToLower(u.draft.algorithm), strings.ToLower(algorithm))
	}
	got, err := receive(q, key)
	if err != nil {
		return nil, err
	}
	p := &part{number: n, content: got.content, checksum: got.checksum, etag: singleETag(q, u.crypt, got.md5)}
	if err := b.keepPart(u, p); err != nil {
		return nil, err
	}
	res := answer(http.StatusOK)
	res.header.Set("Etag", `"`+p.etag+`"`)
	setEncryption(res.header, u.crypt)
	res.header.Set(checksumHeader(p.checksum.algorithm), p.checksum.value)
	return res, nil
}

func uploadPartCopy(q *s3Request, b *Bucket) (*response, error) {
	n, err := partNumber(q)
	if err != nil {
		return nil, err
	}
	r, src, err := source(q, b)
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
	from, err := q.openDataKey(src.crypt, r.bucket.region)
	if err != nil {
		return nil, err
	}
	p := &part{number: n}
	s := q.s3.sealer(to)
	if p.content, err = s.reseal(src.content, from, want.from, want.to-want.from+1); err != nil {
		return nil, err
	}
	if err := sumPart(q, u, p, to); err != nil {
		return nil, err
	}
	if err := b.keepPart(u, p); err != nil {
		return nil, err
	}
	x := newXML()
	x.openNS("CopyPartResult", s3Namespace)
	x.time("LastModified", p.modified)
	x.element("ETag", `"`+p.etag+`"`)
	x.element(checksumElement(p.checksum.algorithm), p.checksum.value)
	x.close("CopyPartResult")
	res := answerXML(x)
	setEncryption(res.header, u.crypt)
	setSourceVersion(res.header, r, src)
	return res, nil
}

// sumPart gives a copied part its ETag and its checksum, in the upload's algorithm.
func sumPart(q *s3Request, u *upload, p *part, key cipher.AEAD) error {
	p.checksum = checksum{algorithm: algorithmCRC64NVME, value: encodeCRC64(p.content.checksum(q.s3.crc))}
	if a := u.draft.algorithm; a != "" && a != algorithmCRC64NVME {
		h := newHash(a)
		if _, err := io.Copy(h, p.content.reader(key, 0, p.content.size())); err != nil {
			return err
		}
		p.checksum = checksum{algorithm: a, value: base64.StdEncoding.EncodeToString(h.Sum(nil))}
	}
	if u.crypt.key != nil || p.content.synthetic() {
		p.etag = q.cloud.random.hex(16)
		return nil
	}
	sum := md5.New()
	if _, err := io.Copy(sum, p.content.reader(key, 0, p.content.size())); err != nil {
		return err
	}
	p.etag = hex.EncodeToString(sum.Sum(nil))
	return nil
}

// copyRange is the range of the source that becomes the part, the whole of it by default.
func copyRange(q *s3Request, src *object) (byteRange, error) {
	text := q.http.Header.Get("X-Amz-Copy-Source-Range")
	r := byteRange{0, src.size - 1}
	if text != "" {
		first, last, _ := strings.Cut(strings.TrimPrefix(text, "bytes="), "-")
		from, errFrom := strconv.ParseInt(first, 10, 64)
		to, errTo := strconv.ParseInt(last, 10, 64)
		switch {
		case errFrom != nil || errTo != nil || !strings.HasPrefix(text, "bytes=") || from > to:
			return r, errInvalidArgument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and last " +
				"are the zero-based offsets of the first and last bytes to copy")
		case to >= src.size:
			return r, errInvalidArgument("Range specified is not valid for source object of size: %d", src.size)
		case src.size <= minPart:
			return r, errInvalidRequest("The specified copy source is not supported as a byte-range copy source")
		}
		r = byteRange{from, to}
	}
	if r.to-r.from+1 > maxSinglePut {
		return r, errInvalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: %d", int64(maxSinglePut))
	}
	return r, nil
}
