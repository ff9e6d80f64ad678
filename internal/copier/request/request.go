// Package request sends the requests of copies. Each request has a slot and a bounded time for its
// response. Requests with an effect at the destination are sent only while the pass may write
// there.
//
// The number of requests in flight never exceeds the number of slots. A silent connection makes a
// request fail instead of blocking the pass. A write interrupted by a lost lease returns an error
// that names this cause. Failures of one object, including panics, are returned as an
// [ObjectError].
//
// Other packages decide what is sent (copier, upload, content) and how fast (throttle).
//
// Terms: a slot is the right to have one request in flight. A permit is the right to write at the
// destination.
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

// answerTimeout bounds the wait for the response to one request. It includes retries, but not the
// time for which retries wait for a rate. Without the limit, a silent connection would block a pass
// forever. The limit is long because S3 can take minutes to copy 5 GiB from another region.
const answerTimeout = 30 * time.Minute

type bytesAPI interface {
	Wait(ctx context.Context, n int64) error
}

// Sender sends requests within the limits that copies share.
type Sender struct {
	// Slots limits the number of requests in flight, for objects and parts together.
	Slots throttle.Slots
	// Bytes limits the rate of copied content; nil means no limit.
	Bytes bytesAPI
}

// Send waits for a slot and sends one request. It waits at most answerTimeout for the response.
func (s *Sender) Send(ctx context.Context, send func(context.Context) error) error {
	held, release, err := throttle.HoldSlot(ctx, s.Slots)
	if err != nil {
		return err
	}
	defer release()
	return deadline.Do(held, answerTimeout, send)
}

// WaitBytes waits until the rate limit allows n bytes of content to be copied. Call it without a
// slot, so that requests without content can be sent in the meantime.
func (s *Sender) WaitBytes(ctx context.Context, n int64) error {
	if s.Bytes == nil {
		return nil
	}
	return s.Bytes.Wait(ctx, n)
}

// Permit grants the right to write at the destination.
type Permit interface {
	// Writing returns a context for one write at the destination. The context ends when the right
	// to write ends. If the right has already ended, the error satisfies errors.Is(err,
	// store.ErrLeaseLost).
	Writing(ctx context.Context) (bound context.Context, release context.CancelFunc, err error)
}

// Writer sends requests that have an effect at the destination.
type Writer struct {
	*Sender
	// Permit is checked before each write; nil always permits.
	Permit Permit
}

// Write waits for a slot and sends one request, bounded by the permit.
func (w Writer) Write(ctx context.Context, send func(context.Context) error) error {
	return w.Send(ctx, func(ctx context.Context) error { return w.Bounded(ctx, send) })
}

// Bounded sends one request, bounded by the permit, without waiting for a slot. Call it with a
// slot, or for a request that needs no slot.
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

// IsUnclear reports whether a request may have taken effect although it failed.
func IsUnclear(err error) bool {
	switch awserr.Classify(err) { //nolint:exhaustive // the classes of lost or inconclusive responses
	case awserr.Transient, awserr.Canceled, awserr.Unknown, awserr.Conflict:
		return true
	default:
		return errors.Is(err, context.DeadlineExceeded)
	}
}

// Payer returns the value of the RequestPayer field for requests to p. It is empty unless the
// requester pays.
func Payer(p transfer.Place) types.RequestPayer {
	return types.RequestPayer(p.Payer())
}

// Optional returns a pointer to text, or nil if text is empty.
func Optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
