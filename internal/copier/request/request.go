// Package request sends the requests of copies: each with a slot, each answered within a bounded
// time, and those with an effect at the destination only while the pass may write there.
//
// It promises that no more requests are in flight than there are slots, that a connection which
// says nothing more ends a request and not the pass, and that a write which the lost lease cut
// short is reported as that. What one object fails with, and a panic in what is done for it, has
// one form: an [ObjectError].
//
// It leaves to others what is sent (copier, upload, content), and how fast (throttle).
//
// Two words: a slot is the right to have one request in flight; a permit is the right to write at
// the destination.
package request

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/store"
	"syncd/internal/deadline"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
)

// answerTimeout bounds the wait for the answer to one request, retries included but not what these
// wait for a rate: a connection that says nothing more must not end in a pass that never does. S3
// may take minutes to copy 5 GiB from another region.
const answerTimeout = 30 * time.Minute

type bytesAPI interface {
	Wait(ctx context.Context, n int64) error
}

// Sender sends requests within the bounds that copies share.
type Sender struct {
	// Slots bounds the requests in flight, objects and parts together.
	Slots throttle.Slots
	// Bytes is waited for before that many bytes of content are copied; nil waits for none.
	Bytes bytesAPI
}

// Send sends one request when there is a slot for it, and waits for its answer only so long.
func (s *Sender) Send(ctx context.Context, send func(context.Context) error) error {
	held, release, err := throttle.HoldSlot(ctx, s.Slots)
	if err != nil {
		return err
	}
	defer release()
	return deadline.Do(held, answerTimeout, send)
}

// WaitBytes waits until n bytes of content may be copied. No slot is held meanwhile: others may
// have requests to send that move no content.
func (s *Sender) WaitBytes(ctx context.Context, n int64) error {
	if s.Bytes == nil {
		return nil
	}
	return s.Bytes.Wait(ctx, n)
}

// Permit entitles to write at the destination.
type Permit interface {
	// Writing returns a context for one write at the destination, which ends with the right to
	// write there. The error, which satisfies errors.Is(err, store.ErrLeaseLost), says that it has
	// ended.
	Writing(ctx context.Context) (bound context.Context, release context.CancelFunc, err error)
}

// Writer sends what has an effect at the destination.
type Writer struct {
	*Sender
	// Permit is asked before each write; nil always entitles.
	Permit Permit
}

// Write sends one request when there is a slot for it, while the permit holds and no longer.
func (w Writer) Write(ctx context.Context, send func(context.Context) error) error {
	return w.Send(ctx, func(ctx context.Context) error { return w.Bounded(ctx, send) })
}

// Bounded sends while the permit holds and no longer, for a caller who has a slot or needs none.
func (w Writer) Bounded(ctx context.Context, send func(context.Context) error) error {
	if w.Permit == nil {
		return send(ctx)
	}
	bound, release, err := w.Permit.Writing(ctx)
	if err != nil {
		return err
	}
	defer release()
	err = send(bound)
	if cause := context.Cause(bound); err != nil && ctx.Err() == nil && errors.Is(cause, store.ErrLeaseLost) {
		return errors.Join(cause, err)
	}
	return err
}

// IsUnclear reports whether the request may have been carried out although it failed.
func IsUnclear(err error) bool {
	switch awserr.Classify(err) { //nolint:exhaustive // the classes of an answer that was lost, or is none
	case awserr.Transient, awserr.Canceled, awserr.Unknown, awserr.Conflict:
		return true
	default:
		return errors.Is(err, context.DeadlineExceeded)
	}
}

// Payer is the header by which requests to a place are paid by who sends them.
func Payer(p transfer.Place) types.RequestPayer {
	return types.RequestPayer(p.Payer())
}

// Optional is a parameter that is left out where it is empty.
func Optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
