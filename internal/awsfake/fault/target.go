package fault

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"time"

	"syncd/internal/awsfake/wire"
)

// Target is the request that a fault may hit.
type Target struct {
	Operation, Bucket, Key string
	Prefix                 string // of a listing
	Protocol               wire.Protocol
	Header                 http.Header
	At                     time.Time
}

// about is what the request is about: an object, or what begins with a prefix.
func (t Target) about() string { return t.Bucket + "/" + t.Key + "?" + t.Prefix }

// errReset is what a client sees of a connection that the other side reset.
func errReset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// ConnectionError is an error of the connection instead of an answer.
type ConnectionError struct{ Err error }

func (b *ConnectionError) Error() string { return b.Err.Error() }

func (b *ConnectionError) Unwrap() error { return b.Err }

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
