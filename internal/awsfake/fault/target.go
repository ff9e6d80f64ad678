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

// Target describes a request to the faults.
type Target struct {
	Operation, Bucket, Key string
	Prefix                 string // of a listing
	Protocol               wire.Protocol
	Header                 http.Header
	At                     time.Time
}

// about identifies the object or prefix of the request.
func (t Target) about() string { return t.Bucket + "/" + t.Key + "?" + t.Prefix }

// errReset returns the error that a client sees when the server resets the connection.
func errReset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// ConnectionError is a connection error that replaces a response.
type ConnectionError struct{ Err error }

func (b *ConnectionError) Error() string { return b.Err.Error() }

func (b *ConnectionError) Unwrap() error { return b.Err }

// cutReader reads at most left bytes from r and then fails.
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
