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

	// ErrUnsteady says that the source was another one each time it was looked at, or that a copy of an object which is
	// there was refused as if it were not.
	ErrUnsteady = errors.New("source did not hold still")

	errEmptyAnswer = errors.New("the service answered success without a result")
	errNoETag      = errors.New("the source gives no ETag, so that the copy cannot be pinned to a version")
	errHidden      = errors.New("the source has metadata that no header can show, which a copy in parts would lose")
	errTooLarge    = errors.New("the object is larger than 10,000 parts of 5 GiB")
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
	return fmt.Sprintf("%s s3://%s/%q: %s", e.Op, e.Bucket, e.Key, awserr.Brief(e.Err))
}

// Unwrap returns the cause.
func (e *ObjectError) Unwrap() error { return e.Err }

// Reason is why an object was set aside: a word for metrics, summaries and quarantine.
func Reason(err error) string {
	switch {
	case errors.Is(err, ErrWrongKey):
		return "wrong_key"
	case errors.Is(err, ErrChecksum):
		return "checksum"
	case errors.Is(err, ErrKeyUnrepresentable):
		return "key_unrepresentable"
	case errors.Is(err, ErrUnsteady):
		return string(awserr.Precondition)
	case errors.Is(err, errTooLarge):
		return string(awserr.TooLarge)
	case errors.Is(err, errHidden):
		return "hidden_metadata"
	case errors.Is(err, errNoETag):
		return "no_etag"
	default:
		return string(awserr.Classify(err))
	}
}
