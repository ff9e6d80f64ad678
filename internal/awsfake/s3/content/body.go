package content

import (
	"bytes"
	"crypto/md5" // ETags are MD5 by contract
	"io"
)

// Body is the content of an object on its way into a bucket.
type Body struct {
	data    []byte
	pattern *pattern
	size    int64
}

// BytesBody is a body of real bytes. The slice must not be changed afterwards.
func BytesBody(data []byte) Body { return Body{data: data, size: int64(len(data))} }

// SyntheticBody is a body of size bytes that are generated when they are read; it costs the same
// memory at 1 KiB and at 20 TiB. Two bodies of one seed begin with the same bytes. Copies of such
// an object, and of ranges of it, stay synthetic, and so does an upload of 256 KiB and more that
// repeats a stretch of one. Checksums are exact; the ETag is opaque under SSE-S3 too, where an MD5
// would take too long. Reading asks for the data key as with real bytes, though nothing is
// encrypted under it.
func SyntheticBody(size int64, seed uint64) Body {
	return Body{pattern: &pattern{seed: seed}, size: size}
}

// Size is the number of bytes.
func (b Body) Size() int64 { return b.size }

// Reader reads the body from its first byte.
func (b Body) Reader() io.Reader {
	if b.pattern == nil {
		return bytes.NewReader(b.data)
	}
	return Content{{size: b.size, pattern: b.pattern}}.Reader(nil, 0, b.size)
}

// MD5 is the MD5 of the body; false where it would take too long.
func (b Body) MD5() ([]byte, bool) {
	if b.pattern != nil {
		return nil, false
	}
	sum := md5.Sum(b.data)
	return sum[:], true
}
