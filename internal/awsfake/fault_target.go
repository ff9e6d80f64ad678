package awsfake

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"
)

// target is the request that a fault may hit.
type target struct {
	operation, bucket, key string
	prefix                 string // of a listing
	protocol               protocol
	header                 http.Header
	at                     time.Time
}

// about is what the request is about: an object, or what begins with a prefix.
func (t target) about() string { return t.bucket + "/" + t.key + "?" + t.prefix }

// errReset is what a client sees of a connection that the other side reset.
func errReset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// connectionError is an error of the connection instead of an answer.
type connectionError struct{ err error }

func (b *connectionError) Error() string { return b.err.Error() }

func (b *connectionError) Unwrap() error { return b.err }

// cutReader breaks after its bytes are spent.
type cutReader struct {
	r    io.Reader
	left int64
}

func (c *cutReader) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
