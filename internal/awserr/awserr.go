// Package awserr sorts AWS errors into about twenty classes, so that no other package needs to read
// error codes.
//
// Every error of an SDK client belongs to exactly one [Class]. The most specific layer decides: a
// failed AssumeRole during an S3 request is a credentials error, not an S3 error. An unknown code
// is [Unknown]. Other packages act on the class: the throttle slows down, the copier quarantines
// the object, the syncer stops the mapping.
//
// Two terms: a class is the kind of an error; a [CredentialsError] means that no request could be
// signed, so that every further request would fail in the same way.
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
		return Transient // the response is truncated or not from the service
	}
	return classifyTransport(err)
}

// Fatal reports whether every further request of the same mapping would fail too, so that trying
// the next object is pointless. If a service sent the error (see [Answered]), it may still concern
// only one object; only a request for another object shows that.
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

// Answered reports whether err is a service's response to a request of the mapping. Answered
// returns false if no request was sent because credentials were missing.
func Answered(err error) bool {
	if _, ok := errors.AsType[*CredentialsError](err); ok {
		return false
	}
	_, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok
}

// classifyOwn returns the class of an error of this package's own types, or [Unknown] for other
// errors. These types take precedence over the errors that they wrap: for example, the SDK has its
// own deadline for credentials, and an error from that deadline is not [Canceled].
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

// IsAway reports whether err means that the service did not respond at all, so that other requests
// to the same endpoint would fail in the same way.
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
