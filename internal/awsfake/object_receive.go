package awsfake

import (
	"cmp"
	"crypto/cipher"
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
)

// received is an upload's body at rest, with what was found while it was read.
type received struct {
	content  content
	md5      []byte
	checksum checksum
}

// receive reads and verifies the request's body and seals it.
func receive(q *s3Request, key cipher.AEAD) (*received, error) {
	p, err := q.payload()
	if err != nil {
		return nil, err
	}
	if p.size > maxSinglePut {
		return nil, refuse(http.StatusBadRequest, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
	}
	sum := md5.New()
	algorithm, want := sentChecksum(q.http.Header)
	sent := newHash(algorithm)
	r := io.TeeReader(p, sum)
	if sent != nil {
		r = io.TeeReader(r, sent)
	}
	got := &received{}
	if got.content, err = q.s3.sealer(key).take(r, p.size, &q.s3.patterns); err != nil {
		return nil, err
	}
	if err := ended(p); err != nil {
		return nil, err
	}
	got.md5 = sum.Sum(nil)
	if m := q.http.Header.Get("Content-Md5"); m != "" && m != base64.StdEncoding.EncodeToString(got.md5) {
		return nil, refuse(http.StatusBadRequest, "BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	got.checksum = checksum{algorithm: algorithmCRC64NVME, value: encodeCRC64(got.content.checksum(q.s3.crc))}
	if sent != nil {
		got.checksum, err = compareChecksum(algorithm, cmp.Or(want, p.trailer.Get(checksumHeader(algorithm))), sent)
		return got, err
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

// singleETag is the MD5 under SSE-S3, and opaque under KMS.
func singleETag(q *s3Request, crypt encryption, sum []byte) string {
	if crypt.opaque() || sum == nil {
		return q.cloud.random.hex(16)
	}
	return hex.EncodeToString(sum)
}
