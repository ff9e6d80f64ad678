// Package doubt decides whether an error that would end a mapping, such as SignatureDoesNotMatch, affects
// the whole mapping or only one object. For some object attributes, client and service compute different
// signatures, so the error affects only that object.
//
// To find out, it asks both sides with a listing of one key, unless another copy succeeds meanwhile. The
// copier sends the listings, and asks about each such error.
package doubt

import (
	"context"
	"slices"
	"sync"

	"syncd/internal/awserr"
	"syncd/internal/copier/request"
)

// Doubts decides about the errors of all copies of one mapping. It is safe for concurrent use.
type Doubts struct {
	bucket string
	sides  []func(ctx context.Context) error

	asking chan struct{} // contains a value while a goroutine sends the listings

	mu      sync.Mutex
	copies  int64 // number of copies begun
	good    int64 // number of the last copy that succeeded
	isOpen  bool  // whether the listings are being sent
	asked   int64 // number of times that the service has answered the listings
	accepts bool  // whether the service accepted the last listings
}

// New returns Doubts about the objects of a bucket. Each of the sides lists at most one key of a side.
func New(bucket string, sides ...func(ctx context.Context) error) *Doubts {
	return &Doubts{bucket: bucket, sides: sides, asking: make(chan struct{}, 1)}
}

// Begin returns the number of a copy that begins now.
func (d *Doubts) Begin() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.copies++
	return d.copies
}

// Succeeded records that the copy with the number copied succeeded.
func (d *Doubts) Succeeded(copied int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.good = max(d.good, copied)
}

// Alone wraps a failure that would end the mapping in an *awserr.AloneError if the service accepts
// other requests that are sent after the failure. The other request is a copy or, if no other copy
// has succeeded since, a listing of one key on each side. The listing needs no permission, because
// a denial also shows that the service accepts the signature. Failures of concurrent copies share
// one listing on each side. A failure without a response is returned unchanged.
func (d *Doubts) Alone(ctx context.Context, key string, failure error) error {
	if !awserr.Fatal(failure) || !awserr.Answered(failure) || ctx.Err() != nil {
		return failure
	}
	since, question := d.doubt()
	select {
	case d.asking <- struct{}{}:
	case <-ctx.Done():
		return failure
	}
	defer func() { <-d.asking }()
	if !d.answered(since, question) {
		d.ask(func() bool { return d.acceptsOthers(ctx) })
	}
	if !d.isAccepted(since) {
		return failure
	}
	return &request.ObjectError{
		Op: "copy", Bucket: d.bucket, Key: key, Err: &awserr.AloneError{Err: failure},
		Hint: "the service accepts other requests with the same credentials",
	}
}

// doubt is called when a copy fails. It returns two numbers for the method answered, which decides
// whether only one object is affected. That is known as soon as a copy with a number greater than
// since succeeds, or the service has answered the listings question times.
func (d *Doubts) doubt() (since, question int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isOpen {
		return d.copies, d.asked + 2
	}
	return d.copies, d.asked + 1
}

// ask sends the listings by calling accepts, and records the result.
func (d *Doubts) ask(accepts func() bool) {
	d.mu.Lock()
	d.isOpen = true
	d.mu.Unlock()
	answer := accepts()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.isOpen, d.asked, d.accepts = false, d.asked+1, answer
}

// answered reports whether the question is decided, for the two numbers that doubt returned.
func (d *Doubts) answered(since, question int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good > since || d.asked >= question
}

func (d *Doubts) isAccepted(since int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good > since || d.accepts
}

// acceptsOthers sends each side a listing of at most one key.
func (d *Doubts) acceptsOthers(ctx context.Context) bool {
	return !slices.ContainsFunc(d.sides, func(list func(context.Context) error) bool { return !isSigned(list(ctx)) })
}

// isSigned reports whether the response to a listing shows that its signature was valid. A denial
// shows that too.
func isSigned(err error) bool { return err == nil || awserr.Code(err) == "AccessDenied" }
