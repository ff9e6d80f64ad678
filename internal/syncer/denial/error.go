// Package denial decides whether everything that a pass copies is refused, so that the pass can end
// early instead of quarantining a million objects one by one.
//
// A policy, a KMS key or a service that refuses one object may refuse all objects. Objects that are
// refused in a row are held: neither settled nor quarantined. After enough refusals, the package
// tries to copy objects in other key ranges, and retries objects that were copied before. If all of
// these attempts are refused too, the pass ends with an Error, and the next pass starts by retrying
// a few objects. If one attempt succeeds, the held objects are quarantined and the pass continues.
//
// The pass settles the held objects, and the ledger stores an Error for the next pass.
//
// Two terms: a streak is the objects refused since the last copy; a probe is an object that is
// copied before the pass reaches its key.
package denial

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/plan"
)

// The sides that can refuse.
const (
	sideSource      = "source"
	sideDestination = "destination"
)

// Error means that a pass ended because everything that it tried to copy in several key ranges was
// refused. The results of the objects settled before are saved. The refused objects are neither
// settled nor quarantined.
type Error struct {
	// InTurn is how many objects in a row were refused, and Elsewhere how many objects in other key
	// ranges were refused.
	InTurn, Elsewhere int
	// Side is the side that refuses, or "" if unknown. It is the source if the object cannot even
	// be read.
	Side string
	// Since is when the first pass ended for the same reason, or zero if no earlier pass did.
	Since time.Time
	// Err is the error of one of the objects.
	Err error

	// Record is the refusal that the ledger stores for the next pass, or nil if it stores none.
	Record *record.Refusal
}

// Error returns what was refused and, if known, which policies to check.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Passes():
		fmt.Fprintf(&b, "everything fails: %d objects in a row and %d in other key ranges: ", e.InTurn, e.Elsewhere)
	case e.Since.IsZero():
		fmt.Fprintf(&b, "everything is refused: %d objects in a row and %d in other key ranges: ", e.InTurn, e.Elsewhere)
	default:
		fmt.Fprintf(&b, "everything has been refused since %s: ", e.Since.UTC().Format(time.RFC3339))
	}
	b.WriteString(e.Err.Error())
	if copier.Reason(e.Err) == string(awserr.Denied) {
		b.WriteString(e.whose())
	}
	return b.String()
}

// Passes reports whether the cause is temporary, so that the next pass can succeed without a change
// by an operator.
func (e *Error) Passes() bool { return isPassing(copier.Reason(e.Err)) }

// whose returns which policies to check, or "" if the service's message already names a policy.
func (e *Error) whose() string {
	action, _ := awserr.Refused(e.Err)
	switch {
	case action != "" && strings.Contains(e.Err.Error(), " policy"):
		return ""
	case e.Side == sideSource:
		return "; reading is refused too: check the owner's bucket policy and key policy, and the policy of the role"
	case e.Side == sideDestination:
		return "; reading is allowed: check the policy of the role, the policy of the key that copies are encrypted with, and permissions for tags"
	default:
		return ""
	}
}

// Unwrap returns the error of one of the objects.
func (e *Error) Unwrap() error { return e.Err }

// IsShared reports whether the quarantine reason can apply to all objects: a policy, a key or an
// identity refuses requests, or the service does not support the request or is temporarily
// unavailable.
func IsShared(reason string) bool {
	return isPassing(reason) || slices.Contains([]string{
		string(awserr.Denied), string(awserr.KeyDisabled), string(awserr.NoKey), plan.BadSignature, string(awserr.Unsupported), string(awserr.Invalid),
		string(awserr.Credentials), string(awserr.Expired), string(awserr.NoBucket), string(awserr.WrongRegion),
	}, reason)
}

// isPassing reports whether a reason is temporary.
func isPassing(reason string) bool { return awserr.Class(reason).Passes() }
