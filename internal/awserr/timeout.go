package awserr

import (
	"context"
	"errors"
	"time"
)

// TimeoutError says that a request was given up because no answer came in time.
type TimeoutError struct {
	// Limit is how long it could take.
	Limit time.Duration
	// Endpoint is where it was sent, "" where that is not known. Unsent says that it was not, for
	// want of credentials to sign it with.
	Endpoint string
	Unsent   bool
	// Err is why an attempt failed before, nil where none did: then nothing answered at all.
	Err error
}

// Error names the limit and the cause.
func (e *TimeoutError) Error() string {
	text := "no answer within " + e.Limit.String()
	if e.Unsent {
		text = "no credentials to sign a request with within " + e.Limit.String()
	} else if e.Endpoint != "" {
		text = "no answer from " + e.Endpoint + " within " + e.Limit.String()
	}
	if !e.isMute() {
		text += ": " + Brief(e.Err)
	}
	return text
}

// isMute reports whether nothing has ever answered, nor failed but for want of an answer.
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
