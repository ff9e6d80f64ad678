package deletion

import "fmt"

// Settings say when the copies of objects are deleted that no longer exist at the source.
type Settings struct {
	// After is how many passes in a row must have missed an object; 0 keeps all copies.
	After int64
	// MaxObjects and MaxPercent limit how many copies one pass deletes, see Limits.
	MaxObjects int64
	MaxPercent float64
}

// Limits returns the limits of a pass for which the operator has confirmed a number of deletes.
func (s Settings) Limits(allowed int64) Limits {
	return Limits{MaxObjects: s.MaxObjects, MaxPercent: s.MaxPercent, Allowed: allowed}
}

// Limits say how many copies one pass may delete.
type Limits struct {
	// MaxObjects is the maximum number of copies, and MaxPercent the maximum share of the entries that
	// the ledger had before the pass, in percent.
	MaxObjects int64
	MaxPercent float64
	// Allowed is how many deletes the operator has confirmed for this pass. If at most that many
	// copies are due, the other limits do not apply.
	Allowed int64
}

// Exceeded returns why a number of deletes is not allowed, or "" if it is. The parameter done is how many
// copies the pass has deleted before it was resumed, entries the number of entries that the ledger had
// before the pass, and isEmpty means that the source has no objects.
func (l Limits) Exceeded(due, done, entries int64, isEmpty bool) string {
	all := due + done
	switch percent := 100 * float64(all) / float64(max(entries, 1)); {
	case due <= l.Allowed:
		return ""
	case isEmpty:
		return "the source has no objects"
	case all > l.MaxObjects:
		return fmt.Sprintf("delete.max_objects is %d", l.MaxObjects)
	case percent > l.MaxPercent:
		return fmt.Sprintf("%.3g %% of %d copies are due, and delete.max_percent is %g", percent, entries, l.MaxPercent)
	}
	return ""
}
