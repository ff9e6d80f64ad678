package awserr

import (
	"context"
	"errors"
	"time"
)

// TimeoutError means that a request was abandoned because no response arrived in time.
type TimeoutError struct {
	// Limit is how long the request was allowed to take.
	Limit time.Duration
	// Endpoint is where the request was sent, or "" if not known. Unsent means that the request was
	// not sent, because there were no credentials to sign it.
	Endpoint string
	Unsent   bool
	// Err is why an earlier attempt failed. It is nil if no attempt failed, so that nothing
	// responded at all.
	Err error
}

// Error names the limit and the cause.
func (e *TimeoutError) Error() string {
	text := "no answer within " + e.Limit.String()
	if e.Unsent {
		text = "no credentials to sign a request within " + e.Limit.String()
	} else if e.Endpoint != "" {
		text = "no answer from " + e.Endpoint + " within " + e.Limit.String()
	}
	if !e.isMute() {
		text += ": " + Brief(e.Err)
	}
	return text
}

// isMute reports whether every attempt ran out of time, so that there is neither a response nor
// another cause to show.
func (e *TimeoutError) isMute() bool {
	inner, ok := errors.AsType[*TimeoutError](e.Err)
	return e.Err == nil || ok && inner.isMute()
}

// Unwrap returns context.DeadlineExceeded and the cause.
func (e *TimeoutError) Unwrap() []error {
	if e.Err == nil {
		return []error{context.DeadlineExceeded}
	}
	return []error{context.DeadlineExceeded, e.Err}
}
