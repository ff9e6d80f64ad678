package copier

import (
	"context"
	"sync"

	"syncd/internal/awserr"
	"syncd/internal/copier/request"
)

// doubts decides whether an error that would end the mapping, such as SignatureDoesNotMatch,
// affects the whole mapping or only one object. For some object attributes, client and service
// compute different signatures, so the error affects only that object. To find out, doubts sends a
// listing to the source and a listing to the destination: the listings.
type doubts struct {
	source      *source
	destination *destination

	asking chan struct{} // contains a value while a goroutine sends the listings

	mu      sync.Mutex
	copies  int64 // number of copies begun
	good    int64 // number of the last copy that succeeded
	isOpen  bool  // whether the listings are being sent
	asked   int64 // number of times that the service has answered the listings
	accepts bool  // whether the service accepted the last listings
}

func newDoubts(s *source, d *destination) *doubts {
	return &doubts{source: s, destination: d, asking: make(chan struct{}, 1)}
}

// begin returns the number of a copy that begins now.
func (d *doubts) begin() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.copies++
	return d.copies
}

// succeeded records that the copy with the number copied succeeded.
func (d *doubts) succeeded(copied int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.good = max(d.good, copied)
}

// alone wraps a failure that would end the mapping in an *awserr.AloneError if the service accepts
// other requests that are sent after the failure. The other request is a copy or, if no other copy
// has succeeded since, a listing of one key on each side. The listing needs no permission, because
// a denial also shows that the service accepts the signature. Failures of concurrent copies share
// one listing on each side. A failure without a response is returned unchanged.
func (d *doubts) alone(ctx context.Context, key string, failure error) error {
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
		Op: "copy", Bucket: d.source.place.Bucket, Key: key, Err: &awserr.AloneError{Err: failure},
		Hint: "the service accepts other requests with the same credentials",
	}
}

// doubt is called when a copy fails. It returns two numbers for the method answered, which decides
// whether only one object is affected. That is known as soon as a copy with a number greater than
// since succeeds, or the service has answered the listings question times.
func (d *doubts) doubt() (since, question int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isOpen {
		return d.copies, d.asked + 2
	}
	return d.copies, d.asked + 1
}

// ask sends the listings by calling accepts, and records the result.
func (d *doubts) ask(accepts func() bool) {
	d.mu.Lock()
	d.isOpen = true
	d.mu.Unlock()
	answer := accepts()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.isOpen, d.asked, d.accepts = false, d.asked+1, answer
}

// answered reports whether the question is decided, for the two numbers that doubt returned.
func (d *doubts) answered(since, question int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good > since || d.asked >= question
}

func (d *doubts) isAccepted(since int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good > since || d.accepts
}

// acceptsOthers sends each side a listing of at most one key.
func (d *doubts) acceptsOthers(ctx context.Context) bool {
	_, _, reading := d.source.lookup(ctx, d.source.place.Prefix)
	if !isSigned(reading) {
		return false
	}
	_, _, writing := d.destination.lookup(ctx, d.destination.place.Prefix)
	return isSigned(writing)
}

// isSigned reports whether the response to a listing shows that its signature was valid. A denial
// shows that too.
func isSigned(err error) bool { return err == nil || awserr.Code(err) == "AccessDenied" }
