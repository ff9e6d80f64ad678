package wire

import (
	"fmt"
	"net/http"
	"slices"
)

// Error is an AWS error. Statuses and codes of S3 follow "Error responses" in the Amazon S3 API
// Reference.
type Error struct {
	Status        int
	Code, Message string
	fields        []string          // additional elements of S3's <Error>: name, value, ...
	header        map[string]string // additional headers
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// With adds elements to the response. The fields are alternating names and values.
func (e *Error) With(fields ...string) *Error {
	e.fields = append(e.fields, fields...)
	return e
}

// WithHeader adds a header to the response.
func (e *Error) WithHeader(name, value string) *Error {
	if e.header == nil {
		e.header = map[string]string{}
	}
	e.header[name] = value
	return e
}

// Refuse returns an error with that status, code and message.
func Refuse(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrPreconditionFailed returns the error for a condition that does not hold. The error names the
// condition, unless condition is "".
func ErrPreconditionFailed(condition string) *Error {
	e := Refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	if condition != "" {
		return e.With("Condition", condition)
	}
	return e
}

// ErrConflict returns the error for a conditional write that conflicts with another operation.
func ErrConflict() *Error {
	return Refuse(http.StatusConflict, "ConditionalRequestConflict",
		"The conditional request cannot succeed due to a conflicting operation against this resource.")
}

// ErrNoSuchKey returns the error for a key that does not exist.
func ErrNoSuchKey(key string) *Error {
	return Refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.").With("Key", key)
}

// ErrInvalidArgument returns the error for an invalid argument.
func ErrInvalidArgument(format string, args ...any) *Error {
	return Refuse(http.StatusBadRequest, "InvalidArgument", format, args...)
}

// ErrInvalidRequest returns the error for arguments that cannot be combined.
func ErrInvalidRequest(format string, args ...any) *Error {
	return Refuse(http.StatusBadRequest, "InvalidRequest", format, args...)
}

// ErrNotImplemented returns the error for a feature that the fake does not implement.
func ErrNotImplemented(what string) *Error {
	return Refuse(http.StatusNotImplemented, "NotImplemented", "A header or operation you provided implies functionality that is not implemented: %s", what)
}

// ErrInternal returns the error for a failure of the fake itself.
func ErrInternal(err error) *Error {
	return Refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again. (%v)", err)
}

// IsThrottling reports whether the error code is a throttling code of any service.
func (e *Error) IsThrottling() bool {
	return slices.Contains([]string{"SlowDown", "ThrottlingException", "Throttling"}, e.Code)
}
