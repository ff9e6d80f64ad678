package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"syncd/internal/checkpoint/store"
)

// Journal adds passes to the history of a mapping, under its lease. One goroutine at a time uses
// it.
type Journal struct {
	store   store.Store
	lease   store.Lease
	mapping string
	holder  string
	log     *slog.Logger
	past    past
}

// NewJournal returns the journal of a mapping, whose records name the holder.
func NewJournal(records store.Store, lease store.Lease, mapping, holder string, log *slog.Logger) *Journal {
	return &Journal{store: records, lease: lease, mapping: mapping, holder: holder, log: log}
}

// EnterAlone adds a pass to the history that failed before it had the ledger. It takes the lease
// for that, so that no other process writes the history, and reads nothing else. A
// *store.LeaseHeldError says that another process has the lease: how passes fare is for that one to
// say.
func EnterAlone(ctx context.Context, records store.Store, mapping, holder string, log *slog.Logger, r Pass) (passes []Pass, err error) {
	lease, err := records.Acquire(ctx, mapping, holder)
	if err != nil {
		return nil, fmt.Errorf("take the lease for the history in %s: %w", records, err)
	}
	passes, err = NewJournal(records, lease, mapping, holder, log).Enter(ctx, r)
	return passes, errors.Join(err, lease.Release())
}

// Enter adds a pass to the history of the mapping, of which a bounded number is kept, and returns
// what there is then. It costs one record that is written and one that is deleted, and reads what
// there was the first time. Another holder's record is never replaced: a writer that lost its lease
// enters nothing.
func (j *Journal) Enter(ctx context.Context, r Pass) ([]Pass, error) {
	r.Holder = j.holder
	r.BeganAt, r.EndedAt = r.BeganAt.UTC().Truncate(time.Microsecond), r.EndedAt.UTC().Truncate(time.Microsecond)
	r.Error = shortened(r.Error)
	for range historyTries {
		if err := j.lease.Held(ctx); err != nil {
			return nil, err
		}
		if err := j.recall(ctx); err != nil {
			return nil, err
		}
		passes, err := j.enter(ctx, r)
		if !errors.Is(err, fs.ErrExist) {
			return passes, err
		}
		j.past = past{} // another holder has written since
	}
	return nil, fmt.Errorf("enter a pass in the history of %q: %w", j.mapping, store.ErrSuperseded)
}

// Past returns the passes that ended before, oldest first. It reads the history the first time, so
// that Enter does not.
func (j *Journal) Past(ctx context.Context) ([]Pass, error) {
	if err := j.recall(ctx); err != nil {
		return nil, err
	}
	return slices.Clone(j.past.passes), nil
}

// recall reads the history unless it is known. A damaged one ends, and the next begins after it.
func (j *Journal) recall(ctx context.Context) error {
	if j.past.isKnown {
		return nil
	}
	h, err := readHistory(ctx, j.store, j.mapping)
	_, isDamage := errors.AsType[*store.CorruptError](err)
	if err != nil && !isDamage {
		return err
	}
	if isDamage {
		j.log.Warn("history was damaged, it begins again", "mapping", j.mapping, "err", err)
	}
	h.isKnown = true
	j.past = h
	return nil
}

// Take puts passes of another mapping, whose ledger this one takes over, before those of its own
// history. It may be repeated.
func (j *Journal) Take(ctx context.Context, passes []Pass) error {
	if err := j.lease.Held(ctx); err != nil {
		return err
	}
	if err := j.recall(ctx); err != nil {
		return err
	}
	own := slices.DeleteFunc(slices.Clone(j.past.passes), func(r Pass) bool {
		return slices.ContainsFunc(passes, func(taken Pass) bool { return taken.BeganAt.Equal(r.BeganAt) && taken.Holder == r.Holder })
	})
	_, err := j.write(ctx, append(slices.Clone(passes), own...))
	return err
}

func (j *Journal) enter(ctx context.Context, r Pass) ([]Pass, error) {
	passes := slices.Clone(j.past.passes)
	r = r.inRow(passes)
	if n := len(passes); n > 0 && r.repeats(passes[n-1]) {
		r.Times, r.BeganAt = max(passes[n-1].Times, 1)+1, passes[n-1].BeganAt
		passes = passes[:n-1]
	}
	return j.write(ctx, append(passes, r))
}

// write makes the next record of the history, of the newest passes.
func (j *Journal) write(ctx context.Context, passes []Pass) ([]Pass, error) {
	passes = bounded(passes)
	name := historyName(j.mapping, j.past.seq+1)
	err := store.CreateSealed(ctx, j.store, name, historyRecord{Version: store.FormatVersion, Mapping: j.mapping, Passes: passes})
	if err != nil {
		return nil, fmt.Errorf("enter a pass in the history: %w", err)
	}
	former := j.past.names
	j.past = past{isKnown: true, seq: j.past.seq + 1, names: []string{name}, passes: passes}
	for _, old := range former {
		if err := j.store.Delete(ctx, old); err != nil {
			j.past.names = append(j.past.names, old) // deleted with the next
		}
	}
	return passes, nil
}

// bounded returns the newest passes, and among them one that says how passes fare, if there is any.
func bounded(passes []Pass) []Pass {
	forgotten := len(passes) - keptPasses
	if forgotten <= 0 {
		return passes
	}
	newest := slices.Clone(passes[forgotten:])
	if slices.ContainsFunc(newest, Pass.tells) {
		return newest
	}
	for _, p := range slices.Backward(passes[:forgotten]) {
		if p.tells() {
			newest[0] = p
			break
		}
	}
	return newest
}

// shortened cuts a text at a bound, between characters.
func shortened(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxPassError {
		return text
	}
	cut := maxPassError
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
