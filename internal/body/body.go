// Package body reads the content of an object from a response, and gives up if the content stops
// arriving.
//
// Reading always ends: if a body stalls, the request is aborted, so that it does not hold memory
// and a slot that other copies need. Time during which the caller does not read is not counted, so
// a slow caller causes no stall. Package throttle limits the time until a response begins. The
// caller checks the size and the content.
//
// One term: a body stalls when less than [LeastProgress] bytes arrive in a minute of waiting.
package body

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// patience is the maximum time that a read waits for LeastProgress bytes.
	patience = time.Minute
	// LeastProgress is how many bytes of a body count as progress in a minute: about 1 KiB per
	// second.
	LeastProgress = 64 << 10
)

// GetObjectAPI is the source of content. An *s3.Client implements it.
type GetObjectAPI interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// GetObject requests an object's content. Reading the body fails with context.DeadlineExceeded when
// it stalls; closing it ends the request.
func GetObject(ctx context.Context, from GetObjectAPI, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	ctx, stop := context.WithCancel(ctx)
	out, err := from.GetObject(ctx, in)
	if err != nil {
		stop()
		return nil, err
	}
	out.Body = watch(out.Body, stop)
	return out, nil
}

func watch(body io.ReadCloser, stop context.CancelFunc) io.ReadCloser {
	w := &watched{ReadCloser: body, stop: stop}
	w.timer = time.AfterFunc(patience, func() {
		w.stalled.Store(true)
		stop()
	})
	w.timer.Stop()
	return w
}

// watched is a body that fails when it stalls.
type watched struct {
	io.ReadCloser
	stop    context.CancelFunc // ends the request, and with it a read that is waiting
	timer   *time.Timer
	stalled atomic.Bool
	waited  time.Duration // waiting time since the last progress
	got     int           // bytes read since the last progress
}

// Read reads from the body.
func (w *watched) Read(p []byte) (int, error) {
	begun := time.Now()
	w.timer.Reset(patience - w.waited)
	n, err := w.ReadCloser.Read(p)
	w.timer.Stop()
	w.waited, w.got = w.waited+time.Since(begun), w.got+n
	switch {
	case err != nil && w.stalled.Load():
		err = fmt.Errorf("%d bytes within %s: %w", w.got, patience, context.DeadlineExceeded)
	case w.got >= LeastProgress:
		w.waited, w.got = 0, 0
	}
	return n, err
}

// Close ends the request.
func (w *watched) Close() error {
	defer w.stop()
	return w.ReadCloser.Close()
}
