package content

import (
	"bytes"
	"crypto/md5" // S3's ETags are MD5
	"io"
)

// Body is the content of an object to put into a bucket.
type Body struct {
	data    []byte
	pattern *pattern
	size    int64
}

// BytesBody returns a body that holds data. The slice must not be changed afterwards.
func BytesBody(data []byte) Body { return Body{data: data, size: int64(len(data))} }

// SyntheticBody returns a body of size bytes that are generated while they are read. It uses the
// same memory for 1 KiB and for 20 TiB. Two bodies with the same seed start with the same bytes. A
// copy of a synthetic object or of a range of it is synthetic too, and so is an upload of at least
// 256 KiB whose bytes are a range of a synthetic object. Checksums are exact. The ETag is opaque
// even with SSE-S3, because an MD5 would take too long. Reading requires the data key as with real
// bytes, although the key encrypts nothing.
func SyntheticBody(size int64, seed uint64) Body {
	return Body{pattern: &pattern{seed: seed}, size: size}
}

// Size returns the number of bytes.
func (b Body) Size() int64 { return b.size }

// Reader returns a reader of the body from its first byte.
func (b Body) Reader() io.Reader {
	if b.pattern == nil {
		return bytes.NewReader(b.data)
	}
	return Content{{size: b.size, pattern: b.pattern}}.Reader(nil, 0, b.size)
}

// MD5 returns the MD5 of the body, or false if it would take too long to compute.
func (b Body) MD5() ([]byte, bool) {
	if b.pattern != nil {
		return nil, false
	}
	sum := md5.Sum(b.data)
	return sum[:], true
}
