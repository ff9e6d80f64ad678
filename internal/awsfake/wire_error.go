package awsfake

import (
	"fmt"
	"net/http"
	"slices"
)

// apiError is a refusal in AWS's words. Statuses and codes of S3 are those of "Error responses" in
// the Amazon S3 API Reference.
type apiError struct {
	status        int
	code, message string
	fields        []string          // further elements of S3's <Error>: name, value, ...
	header        map[string]string // further headers
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// with adds elements to the answer: name, value, ...
func (e *apiError) with(fields ...string) *apiError {
	e.fields = append(e.fields, fields...)
	return e
}

func (e *apiError) withHeader(name, value string) *apiError {
	if e.header == nil {
		e.header = map[string]string{}
	}
	e.header[name] = value
	return e
}

func refuse(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// errPreconditionFailed names the condition that did not hold.
func errPreconditionFailed(condition string) *apiError {
	e := refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	if condition != "" {
		return e.with("Condition", condition)
	}
	return e
}

func errConflict() *apiError {
	return refuse(http.StatusConflict, "ConditionalRequestConflict",
		"The conditional request cannot succeed due to a conflicting operation against this resource.")
}

func errNoSuchKey(key string) *apiError {
	return refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

func errInvalidArgument(format string, args ...any) *apiError {
	return refuse(http.StatusBadRequest, "InvalidArgument", format, args...)
}

func errInvalidRequest(format string, args ...any) *apiError {
	return refuse(http.StatusBadRequest, "InvalidRequest", format, args...)
}

func errNotImplemented(what string) *apiError {
	return refuse(http.StatusNotImplemented, "NotImplemented", "A header or operation you provided implies functionality that is not implemented: %s", what)
}

func errInternal(err error) *apiError {
	return refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again. (%v)", err)
}

// isThrottling reports whether the refusal says "slow down" in the words of any of the services.
func (e *apiError) isThrottling() bool {
	return slices.Contains([]string{"SlowDown", "ThrottlingException", "Throttling"}, e.code)
}
