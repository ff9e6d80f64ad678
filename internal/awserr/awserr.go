// Package awserr sorts the errors of AWS into a dozen classes, once, so that no other package reads
// error codes.
//
// It promises that every error an SDK client can return falls into exactly one [Class], that the
// most telling layer decides (a failed AssumeRole under an S3 request is a matter of credentials,
// not of S3), and that an unknown code never panics: it is [Unknown]. It leaves to others what to
// do about a class: the throttle slows down, the copier sets the object aside, the syncer stops the
// mapping.
//
// Two words: a class is the kind of an error; a [CredentialsError] says that no request could even
// be signed, so that every further request would fail the same way.
//
// Codes and statuses: Amazon S3 API Reference, "Error responses"; AWS KMS Developer Guide,
// "Throttling requests".
package awserr

import (
	"errors"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Classify returns the class of err. A nil error has the empty class.
func Classify(err error) Class {
	if err == nil {
		return ""
	}
	if class := classifyOwn(err); class != Unknown {
		return class
	}
	if class := classifyRedirect(err); class != Unknown {
		return class
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		if misdirects(api.ErrorCode()) && BucketRegion(err) != "" {
			return WrongRegion
		}
		if class := classifyCode(api.ErrorCode(), api.ErrorMessage()); class != Unknown {
			return class
		}
	}
	if class := classifyStatus(err); class != Unknown {
		return class
	}
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok && !canceled(err) {
		return Transient // an answer that broke off, or that is not the service's
	}
	return classifyTransport(err)
}

// Fatal reports whether err makes every further request of the same mapping fail as well, so that
// going on object by object would only repeat it. One that is [Answered] may be about a single
// object, which another request shows.
func Fatal(err error) bool {
	if _, ok := errors.AsType[*AloneError](err); ok {
		return false
	}
	switch Classify(err) { //nolint:exhaustive // a closed list of the few classes that end a mapping
	case Credentials, Expired, NoBucket, WrongRegion:
		return true
	default:
		return false
	}
}

// Answered reports whether a service answered a request of the mapping with err. It is false where
// no request was sent, for want of credentials.
func Answered(err error) bool {
	if _, ok := errors.AsType[*CredentialsError](err); ok {
		return false
	}
	_, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok
}

// classifyOwn is the class of the errors of this package, which their makers have made sure of. An
// SDK's deadline for credentials is none of ours, so what it cancels is not canceled.
func classifyOwn(err error) Class {
	if _, ok := errors.AsType[*CredentialsError](err); ok {
		return Credentials
	}
	if _, ok := errors.AsType[*EndpointError](err); ok {
		return Credentials
	}
	if _, ok := errors.AsType[*SettingError](err); ok {
		return Credentials
	}
	if answer, ok := errors.AsType[*AnswerError](err); ok {
		return answer.Class
	}
	if late, ok := errors.AsType[*TimeoutError](err); ok {
		if late.Unsent {
			return Credentials
		}
		return Transient
	}
	if answer, ok := errors.AsType[*ForeignError](err); ok {
		return classOfForeign(answer.Status)
	}
	if foreign(err) {
		return Transient
	}
	return Unknown
}

// IsAway reports whether nothing that belongs to the service has answered: other requests to the
// same place would fare alike.
func IsAway(err error) bool {
	if c, ok := errors.AsType[*CredentialsError](err); ok {
		return IsAway(c.Err)
	}
	if endpoint, ok := errors.AsType[*EndpointError](err); ok {
		return endpoint.Unreachable
	}
	if _, ok := errors.AsType[*ForeignError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*TimeoutError](err); ok {
		return true
	}
	return Classify(err) == Transient && Code(err) == ""
}
