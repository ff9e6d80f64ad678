// Package awserr sorts the errors of AWS into a dozen classes, once, so that no other package reads error codes.
//
// It promises that every error an SDK client can return falls into exactly one [Class], that the most telling layer
// decides (a failed AssumeRole under an S3 request is a matter of credentials, not of S3), and that an unknown code
// never panics: it is [Unknown]. It leaves to others what to do about a class: the throttle slows down, the copier sets
// the object aside, the syncer stops the mapping.
//
// Two words: a class is the kind of an error; a [CredentialsError] says that no request could even be signed, so that
// every further request would fail the same way.
//
// Codes and statuses: Amazon S3 API Reference, "Error responses"; AWS KMS Developer Guide, "Throttling requests".
package awserr

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"

	"syncd/internal/printable"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Class is the kind of an error.
type Class string

// The classes. They are label values of metrics and reasons of quarantine, so their texts are part of the public surface.
const (
	// Throttled is S3, STS or KMS asking to slow down.
	Throttled Class = "throttled"
	// ThrottledKMS is S3 passing on that KMS asked to slow down; slowing S3 requests without KMS would not help.
	ThrottledKMS Class = "throttled_kms"
	// Denied is a request that some policy did not allow.
	Denied Class = "denied"
	// Credentials is the lack of usable credentials, or of an endpoint that they may be shown: nothing was sent, and nothing else can be.
	Credentials Class = "credentials"
	// Expired is a session token that the service no longer takes.
	Expired Class = "expired"
	// NoBucket is a bucket that does not exist.
	NoBucket Class = "no_bucket"
	// WrongRegion is a bucket in another region than the one that was asked.
	WrongRegion Class = "wrong_region"
	// Gone is an object, version or upload that does not exist.
	Gone Class = "gone"
	// Precondition is an If-Match or If-None-Match that did not hold: the object changed under way.
	Precondition Class = "changed"
	// Conflict is a conditional write that raced another; doing it again from the start may succeed.
	Conflict Class = "conflict"
	// Archived is an object in an archive storage class that has not been restored.
	Archived Class = "archived"
	// KeyDisabled is a KMS key that is disabled, pending deletion or otherwise unusable.
	KeyDisabled Class = "key_disabled"
	// NoKey is a KMS key that does not exist in the region of the request.
	NoKey Class = "no_key"
	// TooLarge is an object or entity above what the operation takes.
	TooLarge Class = "too_large"
	// Invalid is a request that the service will never accept as it is.
	Invalid Class = "invalid"
	// Unsupported is an operation or header that the service does not implement.
	Unsupported Class = "unsupported"
	// Transient is a fault of the service or the network; the same request may succeed later.
	Transient Class = "transient"
	// Canceled is our own context that ended.
	Canceled Class = "canceled"
	// Unknown is everything else.
	Unknown Class = "unknown"
)

// Passes reports whether errors of the class pass by themselves, so that the same request may fare better a moment later.
func (c Class) Passes() bool { return c == Transient || c == Throttled || c == ThrottledKMS }

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

// Code returns the service's error code, or "" when no service answered.
func Code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
}

// Brief returns what the service said, as "code: message (request id)", without the SDK's layers around it and fit to be shown; or why no
// request could be signed or sent; or what is wrong with an answer; or else the whole text.
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

// EndpointOf is the scheme and the host of a URL: what messages show of it. Its user, path and query may be secrets.
func EndpointOf(at *url.URL) string { return at.Scheme + "://" + at.Host }

// unsent is the text of an error that no service gave. Of a request whose connection failed it is where that led, without the query and the
// SDK's layers.
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

// Fatal reports whether err makes every further request of the same mapping fail as well, so that going on object by
// object would only repeat it. One that is [Answered] may be about a single object, which another request shows.
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

// Answered reports whether a service answered a request of the mapping with err. It is false where no request was sent, for want of
// credentials.
func Answered(err error) bool {
	if _, ok := errors.AsType[*CredentialsError](err); ok {
		return false
	}
	_, ok := errors.AsType[*smithyhttp.ResponseError](err)
	return ok
}

func classifyCode(code, message string) Class {
	switch code {
	case "SlowDown", "ServiceUnavailable", "RequestLimitExceeded", "BandwidthLimitExceeded", "TooManyRequests":
		return throttledBy(message)
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException":
		return Throttled
	case "KMS.ThrottlingException":
		return ThrottledKMS
	case "AccessDenied", "AccessDeniedException", "Forbidden", "AllAccessDisabled", "AccountProblem", "UnauthorizedAccess":
		return Denied
	case "InvalidAccessKeyId", "InvalidClientTokenId", "SignatureDoesNotMatch", "InvalidToken", "UnrecognizedClientException":
		return Credentials
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired", "RequestExpired":
		return Expired
	case "NoSuchBucket", "NoSuchAccessPoint":
		return NoBucket
	case "NoSuchKey", "NoSuchVersion", "NoSuchUpload", "NotFound":
		return Gone
	case "PreconditionFailed", "NotModified":
		return Precondition
	case "ConditionalRequestConflict", "OperationAborted",
		"InvalidPart",      // a part that somebody has made anew
		"NoSuchAnnotation": // it was listed
		return Conflict
	case "InvalidObjectState":
		return Archived
	case "KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.InvalidKeyUsageException":
		return KeyDisabled
	case "KMS.NotFoundException", "kms:KeyNotFound": // of MinIO
		return NoKey
	case "EntityTooLarge", "KeyTooLongError", "MetadataTooLarge":
		return TooLarge
	case "NotImplemented", "MethodNotAllowed":
		return Unsupported
	case "InternalError", "RequestTimeout", "RequestTimeoutException", "RequestTimeTooSkewed", "IncompleteBody":
		return Transient
	case "IllegalLocationConstraintException", "InvalidRequest", "InvalidArgument", "ValidationError", "MalformedXML", "AuthorizationHeaderMalformed",
		"EntityTooSmall", "InvalidPartOrder",
		"InvalidDigest", "BadDigest", "InvalidTag", "InvalidStorageClass", "InvalidRange":
		return Invalid
	default:
		return Unknown
	}
}

// throttledBy tells S3's own SlowDown from the one it passes on for KMS: the code is the same, the message is not.
func throttledBy(message string) Class {
	if strings.Contains(message, "KMS") {
		return ThrottledKMS
	}
	return Throttled
}

// classifyStatus covers answers without a body, as HEAD gets them, and codes not listed above.
func classifyStatus(err error) Class {
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok {
		return Unknown
	}
	switch status := response.HTTPStatusCode(); {
	case status == 403:
		return Denied
	case status == 404:
		return Unknown // something is not there, and the code does not say that it is the object
	case status == 409:
		return Conflict
	case status == 412:
		return Precondition
	case status == 429, status == 503: // a quota, until throttle finds that it does not depend on the rate
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

// classifyTransport covers requests that no service answered.
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

// Ended reports whether err is no more than the end of a context.
func Ended(err error) bool { return canceled(err) || errors.Is(err, context.DeadlineExceeded) }
