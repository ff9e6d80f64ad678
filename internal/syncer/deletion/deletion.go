// Package deletion deletes copies whose source objects no longer exist, after a pass has listed the
// whole source.
//
// It guarantees that nothing is deleted if more copies are due than the limits allow, or if the
// source is empty: the operator then decides. It deletes only copies that the ledger marks as due,
// which several passes in a row have missed at the source. Before each request the keys are listed
// again and claimed, and a copy is deleted only if it still has the ETag in the ledger. Memory use does
// not grow with the number of copies.
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

// Deleter finds out which copies can be deleted, and deletes them.
type Deleter interface {
	Recheck(ctx context.Context, entries []record.Entry) (deleting.Rechecked, error)
	Delete(ctx context.Context, entries []record.Entry, permit request.Permit) (done []deleting.Deletion, busy []record.Entry, err error)
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
	// Withheld is called if the limits forbid the deletes, with their number and the reason.
	Withheld func(due int64, why string)
	// Done is called for each copy, one call at a time. Stopped is called if no more deletes are tried
	// because all deletes of the first batches were refused, with the number of copies that were not tried.
	Done    func(deleting.Deletion)
	Stopped func(untried int64)
	// Guard calls a func that a goroutine begins with, and turns a panic into an error.
	Guard func(do func() error) error
	// Patience is how long deletes in progress may continue after the context of Run ends.
	Patience time.Duration
}

const (
	// keysPerSecond is the highest rate of deletes. S3 counts each key of DeleteObjects as a request,
	// and accepts 3,500 of these per second for a prefix ("Best practices design patterns: optimizing
	// Amazon S3 performance", Amazon S3 User Guide).
	keysPerSecond = 3400
	// batches is how many batches are deleted at once, and window how many entries are read at once. The
	// ledger is saved before each window.
	batches = 8
	window  = 10 * deleting.Most
)

// Run deletes the copies that are due, unless the limits forbid it. Call it once every range of the
// pass is settled. An error means that some copies were not deleted, and that the pass cannot commit;
// it can be resumed.
func Run(ctx context.Context, o Options) error {
	due, err := o.count(ctx)
	if err != nil || due == 0 {
		return err
	}
	counts := o.Ledger.Counts()
	if why := o.Limits.Exceeded(due, counts.Deleted, o.Entries, counts.Listed() == 0); why != "" {
		o.Withheld(due, why)
		return nil
	}
	r := run{Options: &o}
	tried, err := r.deleteAll(ctx, due)
	if err == nil && tried < due {
		o.Stopped(due - tried)
	}
	return err
}

// count returns how many copies are due.
func (o *Options) count(ctx context.Context) (due int64, err error) {
	entries, err := o.Ledger.Deletable(ctx, o.After, "")
	if err != nil {
		return 0, err
	}
	for _, err := range entries {
		if err != nil {
			return 0, fmt.Errorf("count the copies to delete: %w", err)
		}
		due++
	}
	return due, nil
}

// read returns the first n entries to delete whose keys are above after.
func (o *Options) read(ctx context.Context, after string, n int64) (entries []record.Entry, err error) {
	due, err := o.Ledger.Deletable(ctx, o.After, after)
	if err != nil {
		return nil, err
	}
	for e, err := range due {
		if err != nil {
			return nil, fmt.Errorf("read the copies to delete: %w", err)
		}
		if entries = append(entries, e); int64(len(entries)) == n {
			break
		}
	}
	return entries, nil
}
