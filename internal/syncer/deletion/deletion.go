// Package deletion deletes copies whose source objects no longer exist, after a pass has listed the
// whole source.
//
// It guarantees that nothing is deleted if more copies are due than the limits allow, or if the
// source is empty: the operator then decides. It deletes only copies that the ledger marks as due,
// which several passes in a row have missed at the source. The keys are listed again right before
// each batch is deleted, and a copy is deleted only if it still has the ETag in the ledger. Memory use
// does not grow with the number of copies.
//
// Package plan decides which copies are due, the copier sends the requests, and the ledger records
// the results.
//
// Two terms: a copy is due if enough passes in a row have missed its object. Deletes are withheld if
// a limit forbids all of them.
package deletion

import (
	"context"
	"fmt"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/deleting"
	"syncd/internal/copier/request"
)

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

// Exceeded returns why a number of deletes is not allowed, or "" if it is. The parameter entries is
// the number of entries that the ledger had before the pass, and isEmpty means that the source has no
// objects.
func (l Limits) Exceeded(due, entries int64, isEmpty bool) string {
	switch percent := 100 * float64(due) / float64(max(entries, 1)); {
	case due <= l.Allowed:
		return ""
	case isEmpty:
		return "the source has no objects"
	case due > l.MaxObjects:
		return fmt.Sprintf("delete.max_objects is %d", l.MaxObjects)
	case percent > l.MaxPercent:
		return fmt.Sprintf("%.3g %% of %d copies are due, and delete.max_percent is %g", percent, entries, l.MaxPercent)
	}
	return ""
}

// Deleter deletes copies.
type Deleter interface {
	Delete(ctx context.Context, entries []record.Entry, permit request.Permit) ([]deleting.Deletion, error)
}

// Options are the settings of Run. All fields are required.
type Options struct {
	Ledger *checkpoint.Pass
	Copier Deleter
	Limits Limits
	// Entries is the number of entries that the ledger had before the pass.
	Entries int64
	// After is how many passes in a row must have missed an object, as in plan.Rules.
	After int64
	// IsEmpty means that the source has no objects.
	IsEmpty bool
	// Withheld is called if the limits forbid the deletes, with their number and the reason.
	Withheld func(due int64, why string)
	// Done is called for each copy.
	Done func(deleting.Deletion)
	// Save saves what was removed from the ledger, if a save is due.
	Save func() error
}

// keysPerSecond is the highest rate of deletes. S3 counts each key of DeleteObjects as a request, and
// accepts 3,500 of these per second for a prefix ("Best practices design patterns: optimizing Amazon
// S3 performance", Amazon S3 User Guide).
const keysPerSecond = 3400

// Run deletes the copies that are due, unless the limits forbid it. Call it once every range of the
// pass is settled. An error means that some copies were not deleted; the pass can be resumed.
func Run(ctx context.Context, o Options) error {
	n := o.Ledger.Counts().Due
	if n == 0 {
		return nil
	}
	if why := o.Limits.Exceeded(n, o.Entries, o.IsEmpty); why != "" {
		o.Withheld(n, why)
		return nil
	}
	due, err := o.Ledger.Deletable(ctx, o.After)
	if err != nil {
		return err
	}
	batch := make([]record.Entry, 0, deleting.Most)
	for e, err := range due {
		if err != nil {
			return fmt.Errorf("read the copies to delete: %w", err)
		}
		if batch = append(batch, e); len(batch) < deleting.Most {
			continue
		}
		if err := o.delete(ctx, batch); err != nil {
			return err
		}
		batch = batch[:0]
	}
	if len(batch) == 0 {
		return nil
	}
	return o.delete(ctx, batch)
}

// delete deletes one batch. It takes at least as long as keysPerSecond requires.
func (o *Options) delete(ctx context.Context, batch []record.Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	pace := time.NewTimer(time.Duration(len(batch)) * time.Second / keysPerSecond)
	defer pace.Stop()
	done, err := o.Copier.Delete(ctx, batch, o.Ledger)
	for _, d := range done {
		if d.Ending != deleting.Returned && d.Ending != deleting.Refused {
			o.Ledger.Remove(d.Key)
		}
		o.Done(d)
	}
	if err != nil {
		return err
	}
	if err := o.Save(); err != nil {
		return err
	}
	if len(batch) < deleting.Most {
		return nil // the last batch
	}
	select {
	case <-pace.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
