package awserr

import (
	"errors"
	"net/url"

	"github.com/aws/smithy-go"

	"syncd/internal/printable"
)

// Brief returns a short, printable text of err. For a service's error response, the text is "code:
// message (request id)" without the SDK's layers. For other known errors, the text says why a
// request could not be signed or sent, or what is wrong with a response. For all other errors, it
// is the whole text.
func Brief(err error) string {
	if own := ownError(err); own != nil {
		return own.Error()
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return unsent(err)
	}
	text := printable.Text(api.ErrorCode()) + ": " + printable.Text(api.ErrorMessage())
	if sent, ok := errors.AsType[interface {
		error
		ServiceRequestID() string
	}](err); ok && sent.ServiceRequestID() != "" {
		text += " (request " + printable.Text(sent.ServiceRequestID()) + ")"
	}
	return text + elsewhere(err)
}

// unsent returns the text of an error that is not from a service. For a failed connection, the text
// contains the endpoint and the cause, but neither the query of the URL nor the SDK's layers.
func unsent(err error) string {
	failed, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err.Error()
	}
	at, fault := url.Parse(failed.URL)
	if fault != nil {
		return failed.Err.Error()
	}
	return "send to " + EndpointOf(at) + ": " + failed.Err.Error()
}

// ownError returns the most specific error of this package in err, or nil if there is none.
func ownError(err error) error {
	if c, ok := errors.AsType[*CredentialsError](err); ok {
		return c
	}
	if expired, ok := errors.AsType[*ExpiredError](err); ok {
		return expired
	}
	if endpoint, ok := errors.AsType[*EndpointError](err); ok {
		return endpoint
	}
	if setting, ok := errors.AsType[*SettingError](err); ok {
		return setting
	}
	if late, ok := errors.AsType[*TimeoutError](err); ok {
		return late
	}
	if answer, ok := errors.AsType[*ForeignError](err); ok {
		return answer
	}
	if answer, ok := errors.AsType[*AnswerError](err); ok {
		return answer
	}
	return nil
}

// Plain returns err with the text of Brief. It wraps err, so that classifying and unwrapping give
// the same results.
func Plain(err error) error {
	if err == nil {
		return nil
	}
	return &plainError{err}
}

type plainError struct{ err error }

func (e *plainError) Error() string { return Brief(e.err) }

func (e *plainError) Unwrap() error { return e.err }
