package copier

import (
	"errors"
	"fmt"

	"syncd/internal/awserr"
)

var (
	// ErrWrongKey says that a copy does not lie under the configured KMS key.
	ErrWrongKey = errors.New("copy lies under another KMS key than the configured one")
	// ErrKeyUnrepresentable says that the destination cannot hold an object under the key.
	ErrKeyUnrepresentable = errors.New("destination key cannot exist")

	errEmptyAnswer = errors.New("the service answered success without a result")
)

// ObjectError is the failure of one object.
type ObjectError struct {
	// Op is what was being done: copy, look up, read tags, ...
	Op string
	// Bucket and Key name the object.
	Bucket, Key string
	// Err is the cause.
	Err error
}

// Error names the operation, the object and the cause.
func (e *ObjectError) Error() string {
	return fmt.Sprintf("%s s3://%s/%q: %v", e.Op, e.Bucket, e.Key, e.Err)
}

// Unwrap returns the cause.
func (e *ObjectError) Unwrap() error { return e.Err }

// Reason is why an object was set aside: a word for metrics, summaries and quarantine.
func Reason(err error) string {
	switch {
	case errors.Is(err, ErrWrongKey):
		return "wrong_key"
	case errors.Is(err, ErrKeyUnrepresentable):
		return "key_unrepresentable"
	default:
		return string(awserr.Classify(err))
	}
}
