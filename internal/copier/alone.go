package copier

import (
	"context"
	"sync"

	"syncd/internal/awserr"
	"syncd/internal/copier/request"
)

// doubts decide whether an answer that would end the mapping, such as SignatureDoesNotMatch, is
// about the mapping or about one object alone: some attributes of an object make a request of which
// client and service compute different signatures.
type doubts struct {
	source      *source
	destination *destination

	asking chan struct{} // holds a value while the service is asked

	mu     sync.Mutex
	copies int64 // that have begun
	good   int64 // the number of the last one that succeeded
	isOpen bool  // the service is being asked
	asked  int64 // how often it has answered
	takes  bool  // whether it took the last requests
}

func newDoubts(s *source, d *destination) *doubts {
	return &doubts{source: s, destination: d, asking: make(chan struct{}, 1)}
}

// begin numbers a copy.
func (d *doubts) begin() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.copies++
	return d.copies
}

// succeeded notes that a copy was made.
func (d *doubts) succeeded(copied int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.good = max(d.good, copied)
}

// alone returns a failure that would end the mapping as an *awserr.AloneError when the service
// takes other requests that were sent later: copies, or else a listing of a key on either side,
// which needs no permission, because a denial is signed well too. Failures of copies in flight at
// the same time share the listings. What was never answered stays as it is.
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
		d.ask(func() bool { return d.takesOthers(ctx) })
	}
	if !d.isTaken(since) {
		return failure
	}
	return &request.ObjectError{
		Op: "copy", Bucket: d.source.place.Bucket, Key: key, Err: &awserr.AloneError{Err: failure},
		Hint: "the service takes other requests under the same credentials",
	}
}

// doubt returns what must have happened before it is known whether a failure of now is of one
// object: a copy that began after the number since has succeeded, or the service has answered a
// question that it is asked from now on.
func (d *doubts) doubt() (since, question int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isOpen {
		return d.copies, d.asked + 2
	}
	return d.copies, d.asked + 1
}

// ask notes what the service answers.
func (d *doubts) ask(takes func() bool) {
	d.mu.Lock()
	d.isOpen = true
	d.mu.Unlock()
	answer := takes()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.isOpen, d.asked, d.takes = false, d.asked+1, answer
}

// answered reports whether what doubt returned has happened.
func (d *doubts) answered(since, question int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good > since || d.asked >= question
}

func (d *doubts) isTaken(since int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.good > since || d.takes
}

// takesOthers sends a listing of at most one key to both sides.
func (d *doubts) takesOthers(ctx context.Context) bool {
	_, _, reading := d.source.lookup(ctx, d.source.place.Prefix)
	if !isSigned(reading) {
		return false
	}
	_, _, writing := d.destination.lookup(ctx, d.destination.place.Prefix)
	return isSigned(writing)
}

// isSigned reports whether a listing was answered as one that is signed well: a denial is.
func isSigned(err error) bool { return err == nil || awserr.Code(err) == "AccessDenied" }
