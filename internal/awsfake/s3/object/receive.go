package object

import (
	"cmp"
	"crypto/cipher"
	"crypto/md5" // Content-MD5 and S3's ETags are MD5
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// received is the stored body of an upload, with the checksums computed while reading it.
type received struct {
	Content  content.Content
	MD5      []byte
	Checksum content.Checksum
}

// Receive reads, verifies and encrypts the request's body.
func Receive(q *call.Request, key cipher.AEAD) (*received, error) {
	p, err := q.Payload()
	if err != nil {
		return nil, err
	}
	if p.Size > call.MaxSinglePut {
		return nil, wire.Refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	sum := md5.New()
	algorithm, want := content.SentChecksum(q.HTTP.Header)
	sent := content.NewHash(algorithm)
	r := io.TeeReader(p, sum)
	if sent != nil {
		r = io.TeeReader(r, sent)
	}
	got := &received{}
	if got.Content, err = q.Store.Sealer(key).Take(r, p.Size, &q.Store.Patterns); err != nil {
		return nil, err
	}
	if err := ended(p); err != nil {
		return nil, err
	}
	got.MD5 = sum.Sum(nil)
	if m := q.HTTP.Header.Get("Content-Md5"); m != "" && m != base64.StdEncoding.EncodeToString(got.MD5) {
		return nil, wire.Refuse(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	got.Checksum = content.Checksum{Algorithm: content.AlgorithmCRC64NVME, Value: content.EncodeCRC64(got.Content.Checksum(q.Store.CRC))}
	if sent != nil {
		got.Checksum, err = call.CompareChecksum(algorithm, cmp.Or(want, p.Trailer.Get(content.ChecksumHeader(algorithm))), sent)
		return got, err
	}
	return got, nil
}

// ended reads to the end of a body, where signatures and trailers are verified.
func ended(r io.Reader) error {
	if n, err := r.Read(make([]byte, 1)); n > 0 || err == nil {
		return wire.ErrInvalidRequest("The request body is longer than it said")
	} else if err != io.EOF {
		return err
	}
	return nil
}

// SingleETag returns the ETag of a part or of an object without parts: the MD5 in sum if the
// encryption is SSE-S3, or an opaque ETag if the encryption uses KMS or if sum is nil.
func SingleETag(q *call.Request, crypt store.Encryption, sum []byte) string {
	if crypt.Opaque() || sum == nil {
		return q.Cloud.Random.Hex(16)
	}
	return hex.EncodeToString(sum)
}
