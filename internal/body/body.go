// Package body reads the content of an answer, which arrives after the answer itself.
//
// It promises that reading ends: a body from which too little arrives is given up, so that it does
// not occupy memory and a slot that other copies need. Time in which the caller does not read does
// not count, so a caller may pace itself. It leaves to others how long an answer may take to begin
// (throttle), how much content there may be and whether it is right (the caller).
//
// One word: a body stalls when it makes less than [LeastProgress] in a minute of waiting.
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
	// patience is how long a read may stall.
	patience = time.Minute
	// LeastProgress is how many bytes of a body count as progress: about 1 KiB a second.
	LeastProgress = 64 << 10
)

// GetObjectAPI is what content is read from. An *s3.Client is one.
type GetObjectAPI interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// GetObject asks for content. Reading its body fails with context.DeadlineExceeded when it stalls;
// closing it ends the request.
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

// watched is a body that is given up when it stalls.
type watched struct {
	io.ReadCloser
	stop    context.CancelFunc // ends the request, and so a read that waits
	timer   *time.Timer
	stalled atomic.Bool
	waited  time.Duration // since LeastProgress had come
	got     int           // meanwhile
}

// Read reads on.
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
