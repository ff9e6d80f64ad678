package deletion

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/deleting"
	"syncd/internal/deadline"
)

const (
	// tries is how often a key is sent if the service is too busy to delete it. The client retries only
	// whole requests. The wait before the second try is firstWait; it doubles with each try.
	tries     = 5
	firstWait = time.Second
	// mostRefused is the number of batches after which no more deletes are tried if all were refused.
	mostRefused = batches
	// mostClaims is the number of ranges that one batch claims at most. If its keys are scattered over
	// more ranges, the claims also cover the keys in between, and a process that takes over after a kill
	// checks the copies of these keys.
	mostClaims = 16
)

// errBusy is why a copy is not deleted if the service was too busy at every try.
var errBusy = fmt.Errorf("the service was too busy to delete the copy, %d times", tries)

// run is one call of Run.
type run struct {
	*Options

	mu      sync.Mutex
	refused int  // batches of which all copies were refused
	isUsed  bool // a copy was not refused
}

// deleteAll deletes the given number of copies in batches, several at once, and at most keysPerSecond.
// It returns how many it has tried. When ctx ends, batches in progress may continue for Patience.
func (r *run) deleteAll(ctx context.Context, due int64) (tried int64, err error) {
	patient, giveUp := deadline.Outlive(ctx, r.Patience)
	defer giveUp()
	work, working := errgroup.WithContext(patient)
	work.SetLimit(batches)
	next := time.Now()
	for batch, failure := range r.batches(ctx, due) {
		if err = failure; err != nil || ctx.Err() != nil || working.Err() != nil || r.stopped() {
			break
		}
		tried += int64(len(batch))
		work.Go(func() error { return r.Guard(func() error { return r.deleteBatch(working, batch) }) })
		if now := time.Now(); now.After(next) {
			next = now // batches that were late must not be followed by a burst
		}
		next = next.Add(time.Duration(len(batch)) * time.Second / keysPerSecond)
		_ = deadline.Sleep(ctx, time.Until(next))
	}
	return tried, errors.Join(work.Wait(), err, ctx.Err())
}

// batches yields the given number of entries to delete, in batches.
func (r *run) batches(ctx context.Context, due int64) iter.Seq2[[]record.Entry, error] {
	return func(yield func([]record.Entry, error) bool) {
		for after := ""; due > 0; {
			entries, err := r.read(ctx, after, min(window, due))
			if err == nil && len(entries) == 0 {
				err = fmt.Errorf("BUG: %d copies to delete are missing in the ledger", due)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			due, after = due-int64(len(entries)), entries[len(entries)-1].Key
			for batch := range slices.Chunk(entries, deleting.Most) {
				if !yield(batch, nil) {
					return
				}
			}
		}
	}
}

func (r *run) stopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.isUsed && r.refused >= mostRefused
}

// deleteBatch deletes one batch. It lists the keys again before each try.
func (r *run) deleteBatch(ctx context.Context, batch []record.Entry) error {
	open := batch
	for try := 0; len(open) > 0 && try < tries; try++ {
		if try > 0 {
			if err := deadline.Sleep(ctx, firstWait<<(try-1)); err != nil {
				return err
			}
		}
		rechecked, err := r.Copier.Recheck(ctx, open)
		if err != nil {
			return err
		}
		r.record(rechecked.Done, batch)
		if open, err = r.send(ctx, rechecked); err != nil {
			return err
		}
	}
	for _, e := range open {
		r.record([]deleting.Deletion{{Key: e.Key, Ending: deleting.Refused, Err: errBusy}}, nil)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused++ // counts only as long as no copy was deleted
	return nil
}

// send claims the keys that are gone, deletes their copies and records the results. It returns the entries
// that must be sent again.
func (r *run) send(ctx context.Context, rechecked deleting.Rechecked) (busy []record.Entry, err error) {
	if len(rechecked.Gone) == 0 {
		return nil, nil
	}
	answered, err := r.Ledger.ClaimDeletes(ctx, joined(rechecked.Vacant))
	if err != nil {
		return nil, err
	}
	done, busy, err := r.Copier.Delete(ctx, rechecked.Gone, r.Ledger)
	r.record(done, nil)
	if err == nil && !slices.ContainsFunc(done, func(d deleting.Deletion) bool { return d.IsUnclear }) {
		answered()
	}
	return busy, err
}

// joined returns ranges that include the given ones, which are in ascending order: at most mostClaims.
func joined(ranges []record.Range) []record.Range {
	each := (len(ranges) + mostClaims - 1) / mostClaims
	fewer := make([]record.Range, 0, mostClaims)
	for part := range slices.Chunk(ranges, max(1, each)) {
		fewer = append(fewer, part[0].Span(part[len(part)-1]))
	}
	return fewer
}

// record records results. The parameter batch has the entries, in ascending order, of copies whose objects
// can be back.
func (r *run) record(done []deleting.Deletion, batch []record.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range done {
		switch d.Ending {
		case deleting.Deleted, deleting.Absent, deleting.Overwritten:
			r.Ledger.Remove(d.Key)
		case deleting.Returned:
			i, _ := slices.BinarySearchFunc(batch, d.Key, func(e record.Entry, key string) int { return strings.Compare(e.Key, key) })
			r.Ledger.Seen(batch[i])
		case deleting.Refused:
		}
		r.isUsed = r.isUsed || d.Ending != deleting.Refused
		r.Done(d)
	}
}
