package syncer

import (
	"fmt"
	"strings"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
)

// walkAgain is after how long a pass is walked although the objects that an earlier one ended for are still refused.
const walkAgain = 24 * time.Hour

// RefusedError says that a pass ended because everything it tried to copy was refused, in one place after another. What it had
// settled before is saved; what was refused is neither settled nor set aside.
type RefusedError struct {
	// InTurn is how many objects were refused in turn, Elsewhere how many in other places.
	InTurn, Elsewhere int
	// Side is the side that refuses, "" where that is not known: the source where not even a byte may be read.
	Side string
	// Since is when an earlier pass ended for the same, zero where none did.
	Since time.Time
	// Err is the refusal of one of the objects.
	Err error

	record *record.Refusal // to be made durable
}

// Error tells what was refused, and whose policy it is where that is known.
func (e *RefusedError) Error() string {
	var b strings.Builder
	switch {
	case e.passes():
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

// passes reports whether the next pass may fare better without anybody doing anything.
func (e *RefusedError) passes() bool { return isPassing(copier.Reason(e.Err)) }

// whose says whose policy it is, as far as the answer does not say so itself.
func (e *RefusedError) whose() string {
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
func (e *RefusedError) Unwrap() error { return e.Err }
