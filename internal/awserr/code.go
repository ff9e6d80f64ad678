package awserr

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"
)

// Code returns the service's error code, or "" if no service responded.
func Code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return ""
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
		"InvalidPart",      // the part was uploaded again in the meantime
		"NoSuchAnnotation": // the annotation existed when it was listed
		return Conflict
	case "InvalidObjectState":
		return Archived
	case "KMS.DisabledException", "KMS.KMSInvalidStateException", "KMS.InvalidKeyUsageException":
		return KeyDisabled
	case "KMS.NotFoundException", "kms:KeyNotFound": // from MinIO
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

// throttledBy distinguishes a SlowDown of S3 from a SlowDown of KMS that S3 reports: the code is
// the same, but the message differs.
func throttledBy(message string) Class {
	if strings.Contains(message, "KMS") {
		return ThrottledKMS
	}
	return Throttled
}
