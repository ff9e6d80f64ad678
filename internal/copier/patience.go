package copier

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// bodyPatience is how long a body may say nothing while it is read. What holds memory and a slot meanwhile is wanted by
// others, also of other mappings.
const bodyPatience = time.Minute

// getObject asks for content whose body is given up when it has gone silent: reading it then fails as one that was cut short.
func (c *Copier) getObject(ctx context.Context, in *s3.GetObjectInput) (*s3.GetObjectOutput, error) {
	ctx, stop := context.WithCancel(ctx)
	out, err := c.o.Source.GetObject(ctx, in)
	if err != nil {
		stop()
		return nil, err
	}
	a := &attended{ReadCloser: out.Body, stop: stop}
	a.timer = time.AfterFunc(bodyPatience, func() {
		a.silent.Store(true)
		stop()
	})
	a.timer.Stop()
	out.Body = a
	return out, nil
}

// attended is a body that is waited for only so long. Time in which nobody reads does not count.
type attended struct {
	io.ReadCloser
	stop   context.CancelFunc // ends the request, and so a read that waits
	timer  *time.Timer
	silent atomic.Bool
}

// Read reads on, and fails with context.DeadlineExceeded when no byte has come for bodyPatience.
func (a *attended) Read(p []byte) (int, error) {
	a.timer.Reset(bodyPatience)
	n, err := a.ReadCloser.Read(p)
	a.timer.Stop()
	if err != nil && a.silent.Load() {
		err = fmt.Errorf("no byte within %s: %w", bodyPatience, context.DeadlineExceeded)
	}
	return n, err
}

// Close ends the request.
func (a *attended) Close() error {
	defer a.stop()
	return a.ReadCloser.Close()
}
