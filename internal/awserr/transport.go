package awserr

import (
	"context"
	"errors"
	"io"
	"net"
	"regexp"
	"syscall"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// classifyStatus classifies responses without a body, as for HEAD, and responses with unknown
// codes.
func classifyStatus(err error) Class {
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok {
		return Unknown
	}
	switch status := response.HTTPStatusCode(); {
	case status == 403:
		return Denied
	case status == 404:
		return Unknown // the code does not say whether the object or something else is missing
	case status == 409:
		return Conflict
	case status == 412:
		return Precondition
	case status == 429, status == 503: // taken for a rate limit, until throttle finds otherwise
		return Throttled
	case status == 501:
		return Unsupported
	case status >= 500:
		return Transient
	case status >= 400:
		return Invalid
	default:
		return Unknown
	}
}

// classifyTransport classifies errors of requests without a response from a service.
func classifyTransport(err error) Class {
	if canceled(err) {
		return Canceled
	}
	if badHeader.MatchString(errorText(err)) {
		return Invalid
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return Transient
	}
	for _, cut := range []error{io.ErrUnexpectedEOF, io.EOF, syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.EPIPE, context.DeadlineExceeded} {
		if errors.Is(err, cut) {
			return Transient
		}
	}
	return Unknown
}

func canceled(err error) bool {
	_, ok := errors.AsType[*smithy.CanceledError](err)
	return ok || errors.Is(err, context.Canceled)
}

// Ended reports whether err only means that a context ended.
func Ended(err error) bool { return canceled(err) || errors.Is(err, context.DeadlineExceeded) }

// badHeader matches the error of net/http for a header that cannot be sent.
var badHeader = regexp.MustCompile(`net/http: invalid header field (?:name|value for) "([^"]*)"`)

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
