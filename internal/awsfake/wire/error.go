package wire

import (
	"fmt"
	"net/http"
	"slices"
)

// Error is a refusal in AWS's words. Statuses and codes of S3 are those of "Error responses" in the
// Amazon S3 API Reference.
type Error struct {
	Status        int
	Code, Message string
	fields        []string          // further elements of S3's <Error>: name, value, ...
	header        map[string]string // further headers
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// With adds elements to the answer: name, value, ...
func (e *Error) With(fields ...string) *Error {
	e.fields = append(e.fields, fields...)
	return e
}

// WithHeader adds a header to the answer.
func (e *Error) WithHeader(name, value string) *Error {
	if e.header == nil {
		e.header = map[string]string{}
	}
	e.header[name] = value
	return e
}

// Refuse is a refusal with that status, code and message.
func Refuse(status int, code, format string, args ...any) *Error {
	return &Error{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// ErrPreconditionFailed names the condition that did not hold.
func ErrPreconditionFailed(condition string) *Error {
	e := Refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	if condition != "" {
		return e.With("Condition", condition)
	}
	return e
}

// ErrConflict is the refusal of a conditional write that met another.
func ErrConflict() *Error {
	return Refuse(http.StatusConflict, "ConditionalRequestConflict",
		"The conditional request cannot succeed due to a conflicting operation against this resource.")
}

// ErrNoSuchKey is the refusal of a key that does not exist.
func ErrNoSuchKey(key string) *Error {
	return Refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.").With("Key", key)
}

// ErrInvalidArgument is the refusal of an argument.
func ErrInvalidArgument(format string, args ...any) *Error {
	return Refuse(http.StatusBadRequest, "InvalidArgument", format, args...)
}

// ErrInvalidRequest is the refusal of arguments that do not go together.
func ErrInvalidRequest(format string, args ...any) *Error {
	return Refuse(http.StatusBadRequest, "InvalidRequest", format, args...)
}

// ErrNotImplemented names what the fake does not have.
func ErrNotImplemented(what string) *Error {
	return Refuse(http.StatusNotImplemented, "NotImplemented", "A header or operation you provided implies functionality that is not implemented: %s", what)
}

// ErrInternal is the answer to a request that met a fault of the fake.
func ErrInternal(err error) *Error {
	return Refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again. (%v)", err)
}

// IsThrottling reports whether the refusal says "slow down" in the words of any of the services.
func (e *Error) IsThrottling() bool {
	return slices.Contains([]string{"SlowDown", "ThrottlingException", "Throttling"}, e.Code)
}
