// Package denial decides whether everything that a pass copies is refused, so that the pass ends
// instead of setting aside a million objects one by one.
//
// A policy, a key or a service that refuses one object may refuse all. Objects that are refused in
// turn are held, neither settled nor set aside; with the one that makes it suspicious, others are
// copied elsewhere in the key space, and objects that were copied before are asked for again. If
// all are refused too, the pass ends with an Error, and the next one begins by asking again for a
// few. If one is not, what was held is set aside and the pass continues.
//
// It leaves to the pass what becomes of held objects, and to the ledger how an Error lasts until
// the next pass.
//
// Two words: a streak is what was refused since the last copy; a probe is an object that is copied
// before the pass gets to it.
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

// The sides that refuse.
const (
	sideSource      = "source"
	sideDestination = "destination"
)

// Error says that a pass ended because everything it tried to copy was refused, in one place after
// another. What it had settled before is saved; what was refused is neither settled nor set aside.
type Error struct {
	// InTurn is how many objects were refused in turn, Elsewhere how many in other places.
	InTurn, Elsewhere int
	// Side is the side that refuses, "" where that is not known: the source where not even a byte
	// may be read.
	Side string
	// Since is when an earlier pass ended for the same, zero where none did.
	Since time.Time
	// Err is the refusal of one of the objects.
	Err error

	// Record is what the next pass needs of it, nil for nothing.
	Record *record.Refusal
}

// Error says what was refused, and whose policy it is where that is known.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Passes():
		fmt.Fprintf(&b, "everything fails: %d objects in turn and %d elsewhere: ", e.InTurn, e.Elsewhere)
	case e.Since.IsZero():
		fmt.Fprintf(&b, "everything is refused: %d objects in turn and %d elsewhere: ", e.InTurn, e.Elsewhere)
	default:
		fmt.Fprintf(&b, "everything is still refused, since %s: ", e.Since.UTC().Format(time.RFC3339))
	}
	b.WriteString(e.Err.Error())
	if copier.Reason(e.Err) == string(awserr.Denied) {
		b.WriteString(e.whose())
	}
	return b.String()
}

// Passes reports whether the next pass may fare better without anybody doing anything.
func (e *Error) Passes() bool { return isPassing(copier.Reason(e.Err)) }

// whose names whose policy it is, where the answer does not.
func (e *Error) whose() string {
	action, _ := awserr.Refused(e.Err)
	switch {
	case action != "" && strings.Contains(e.Err.Error(), " policy"):
		return ""
	case e.Side == sideSource:
		return "; not even reading is allowed: look at the owner's bucket policy and key policy, and at the policy of the role"
	case e.Side == sideDestination:
		return "; reading is allowed: look at the policy of the role and of the key that copies are encrypted with, and at permissions for tags"
	default:
		return ""
	}
}

// Unwrap returns the refusal.
func (e *Error) Unwrap() error { return e.Err }

// IsShared reports whether objects are set aside for that reason because of something that may
// refuse all of them alike: a policy, a key, an identity, or a service that cannot do it, or cannot
// do it now.
func IsShared(reason string) bool {
	return isPassing(reason) || slices.Contains([]string{
		string(awserr.Denied), string(awserr.KeyDisabled), string(awserr.NoKey), plan.BadSignature, string(awserr.Unsupported), string(awserr.Invalid),
		string(awserr.Credentials), string(awserr.Expired), string(awserr.NoBucket), string(awserr.WrongRegion),
	}, reason)
}

// isPassing reports whether a reason passes by itself.
func isPassing(reason string) bool { return awserr.Class(reason).Passes() }
