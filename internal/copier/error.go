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
	// ErrWrongKey says that a copy does not lie under the configured KMS key.
	ErrWrongKey = errors.New("copy lies under another KMS key than the configured one")
	// ErrKeyUnrepresentable says that the destination cannot hold an object under the key.
	ErrKeyUnrepresentable = errors.New("destination key cannot exist")

	// ErrUnsteady says that the source was another one each time it was looked at, or that a copy
	// of an object which is there was refused as if it were not.
	ErrUnsteady = errors.New("source did not hold still")

	// ErrForeign says that the destination holds an object under the key that syncd neither wrote
	// nor may adopt.
	ErrForeign = errors.New("the destination holds an object that is not syncd's")
	// ErrInconsistent says that the source lists an object which it says is not there.
	ErrInconsistent = errors.New("the source lists the object and says that it is not there")

	errTagOverflow = errors.New("the copy cannot get the tags of its source")
	errNoLength    = errors.New("the source does not tell the length of the object")
	errFormer      = &awserr.AnswerError{
		Operation: "copy", Class: awserr.Transient, Problem: "success with the ETag of what was there before, which is still there",
	}
	errGone      = &smithy.GenericAPIError{Code: "NoSuchKey", Message: "the source does not list the object any more"}
	errNotShown  = errors.New("the role may list the destination and not read it, so that nothing tells whose the object is")
	errUnguarded = errors.New("the service takes no conditions, and what is at the destination was not looked at")
	errNoETag    = errors.New("the source gives no ETag, so that the copy cannot be pinned to a version")
	errHidden    = errors.New("the source has metadata that no header can show, which a copy in parts would lose")
	errTooLarge  = errors.New("the object is larger than 10,000 parts of 5 GiB")
)

// refused reports whether the copy failed because one of the two sides is not what it was. Which
// one, no answer says for sure: a copy's source condition and the destination's are both answered
// with 412, a source that is not there and a destination that is not with 404, and so is an upload
// that somebody else removed.
func refused(err error) bool {
	switch awserr.Classify(err) { //nolint:exhaustive // a closed list of what a condition can be answered with
	case awserr.Precondition, awserr.Gone, awserr.Conflict:
		return true
	default:
		return errors.Is(err, content.ErrMoved) || errors.Is(err, errUnguarded)
	}
}

// hintTags tells those who may copy an object but neither read nor write tags what they can do
// without.
func hintTags(err error) string {
	if awserr.Classify(err) == awserr.Denied {
		return `"copy.tags: omit" leaves tags behind`
	}
	return ""
}

// hintAnnotations tells the same of annotations.
func hintAnnotations(err error) string {
	if awserr.Classify(err) == awserr.Denied {
		return `"copy.annotations: omit" leaves annotations behind`
	}
	return ""
}

// Reason is why an object was set aside: a word for metrics, summaries and quarantine. A nil error
// has none.
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

// answered is the reason that a service gave. A few it gives only in words.
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
		return string(awserr.Invalid) // no part size and no mode would change it
	default:
		return string(class)
	}
}
