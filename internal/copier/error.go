package copier

import (
	"errors"
	"strings"

	"github.com/aws/smithy-go"

	"syncd/internal/awserr"
	"syncd/internal/copier/content"
	"syncd/internal/copier/request"
	"syncd/internal/plan"
)

var (
	// ErrWrongKey reports a copy that is encrypted with a KMS key other than the configured one.
	ErrWrongKey = errors.New("copy is encrypted with a KMS key other than the configured one")
	// ErrKeyUnrepresentable reports a destination key that S3 does not allow.
	ErrKeyUnrepresentable = errors.New("invalid destination key")

	// ErrUnsteady reports that the source changed during every attempt, or that every write was
	// refused although the source object still exists.
	ErrUnsteady = errors.New("source kept changing")

	// ErrForeign reports that the destination's key holds an object that syncd neither wrote nor
	// may adopt.
	ErrForeign = errors.New("the destination holds an object that syncd did not write")
	// ErrInconsistent reports that the source lists an object but returns an error that the object
	// does not exist for every request for that object.
	ErrInconsistent = errors.New("the source lists the object but reports it as absent")

	errTagOverflow = errors.New("the tags of the source cannot be set on the copy")
	errNoLength    = errors.New("the source does not report the length of the object")
	errFormer      = &awserr.AnswerError{
		Operation: "copy", Class: awserr.Transient, Problem: "success with the ETag of the previous object, which is still at the destination",
	}
	errGone      = &smithy.GenericAPIError{Code: "NoSuchKey", Message: "the source no longer lists the object"}
	errNotShown  = errors.New("the role is allowed to list but not to read the destination, so it is unknown whether syncd wrote the object")
	errUnguarded = errors.New("the service does not support conditional writes, and the destination was not checked")
	errNoETag    = errors.New("the source returns no ETag, so a specific version cannot be requested")
	errHidden    = errors.New("the source has metadata that cannot be sent in headers and that a multipart copy would lose")
	errTooLarge  = errors.New("object is larger than 10,000 parts of 5 GiB")
)

// refused reports whether the copy failed because the source or the destination may have changed.
// The response does not show which side has changed: 412 is returned for the condition on the
// source and for the condition on the destination, and 404 for a missing source, destination or
// upload.
func refused(err error) bool {
	switch awserr.Classify(err) { //nolint:exhaustive // the possible responses to a condition
	case awserr.Precondition, awserr.Gone, awserr.Conflict:
		return true
	default:
		return errors.Is(err, content.ErrMoved) || errors.Is(err, errUnguarded)
	}
}

// hintTags returns a hint for roles that have permission to copy an object, but not to read or
// write its tags.
func hintTags(err error) string {
	if awserr.Classify(err) == awserr.Denied {
		return `set "copy.tags: omit" to copy without tags`
	}
	return ""
}

// hintAnnotations is like hintTags for annotations.
func hintAnnotations(err error) string {
	if awserr.Classify(err) == awserr.Denied {
		return `set "copy.annotations: omit" to copy without annotations`
	}
	return ""
}

// Reason returns the quarantine reason for an error, a word for metrics and summaries. It is "" for
// a nil error.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	if _, ok := errors.AsType[*request.PanicError](err); ok {
		return plan.Internal
	}
	for _, r := range []struct {
		err    error
		reason string
	}{
		{ErrWrongKey, plan.WrongKeyCopied},
		{content.ErrChecksum, plan.ChecksumDiffers},
		{ErrKeyUnrepresentable, plan.KeyUnrepresentable},
		{ErrForeign, plan.Foreign},
		{ErrInconsistent, plan.Inconsistent},
		{ErrUnsteady, string(awserr.Precondition)},
		{errTooLarge, string(awserr.TooLarge)},
		{errHidden, plan.HiddenMetadata},
		{errNoETag, plan.NoETag},
		{errNoLength, string(awserr.Unsupported)},
		{content.ErrNoRanges, string(awserr.Unsupported)},
		{errTagOverflow, plan.TagOverflow},
	} {
		if errors.Is(err, r.err) {
			return r.reason
		}
	}
	return answered(err)
}

// answered returns the quarantine reason for a service's response. For some reasons it must search
// the text of the response.
func answered(err error) string {
	class, text := awserr.Classify(err), awserr.Brief(err)
	switch {
	case awserr.Code(err) == "SignatureDoesNotMatch":
		return plan.BadSignature
	case class == awserr.Invalid && strings.Contains(text, "Server Side Encryption"):
		return plan.SSEC
	case class == awserr.Denied && strings.Contains(text, "protected by object lock"):
		return plan.ObjectLocked
	case awserr.Code(err) == "MetadataTooLarge":
		return string(awserr.Invalid) // not TooLarge: another part size or copy mode would not help
	default:
		return string(class)
	}
}
