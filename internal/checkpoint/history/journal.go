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

// Journal adds passes to the history of a mapping under its lease. It is not safe for concurrent
// use.
type Journal struct {
	store   store.Store
	lease   store.Lease
	mapping string
	holder  string
	log     *slog.Logger
	past    past
}

// NewJournal returns the journal of a mapping. The records that it writes contain the name of the
// holder.
func NewJournal(records store.Store, lease store.Lease, mapping, holder string, log *slog.Logger) *Journal {
	return &Journal{store: records, lease: lease, mapping: mapping, holder: holder, log: log}
}

// EnterAlone adds a pass that failed before it opened a ledger. It acquires the lease, so that no
// other process writes the history. It reads only the history, not the ledger. If another process
// holds the lease, EnterAlone returns a *store.LeaseHeldError; the process with the lease enters
// its own passes.
func EnterAlone(ctx context.Context, records store.Store, mapping, holder string, log *slog.Logger, r Pass) (passes []Pass, err error) {
	lease, err := records.Acquire(ctx, mapping, holder)
	if err != nil {
		return nil, fmt.Errorf("acquire lease for the history in %s: %w", records, err)
	}
	passes, err = NewJournal(records, lease, mapping, holder, log).Enter(ctx, r)
	return passes, errors.Join(err, lease.Release())
}

// Enter adds a pass to the history of the mapping and returns the new history, which is bounded.
// Each call writes one record and deletes the previous one; the first call also reads the history.
// Enter never replaces a record of another holder: if the writer has lost its lease, it adds
// nothing.
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
		j.past = past{} // another holder has written to the history in the meantime
	}
	return nil, fmt.Errorf("enter a pass in the history of %q: %w", j.mapping, store.ErrSuperseded)
}

// Past returns the passes that have ended, oldest first. The first call reads the history, so that
// Enter does not need to.
func (j *Journal) Past(ctx context.Context) ([]Pass, error) {
	if err := j.recall(ctx); err != nil {
		return nil, err
	}
	return slices.Clone(j.past.passes), nil
}

// recall reads the history unless it is in memory already. It discards a damaged history.
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
		j.log.Warn("damaged history was discarded", "mapping", j.mapping, "err", err)
	}
	h.isKnown = true
	j.past = h
	return nil
}

// Take inserts the passes of another mapping, whose ledger this mapping takes over, before the
// passes in this mapping's history. Repeated calls with the same passes are safe.
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

// write creates the next record of the history, with the newest passes.
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
			j.past.names = append(j.past.names, old) // the next write deletes it
		}
	}
	return passes, nil
}

// bounded returns the newest passes. If none of them is conclusive (see Pass.isConclusive), it also
// keeps the newest conclusive pass before them, if there is one.
func bounded(passes []Pass) []Pass {
	forgotten := len(passes) - keptPasses
	if forgotten <= 0 {
		return passes
	}
	newest := slices.Clone(passes[forgotten:])
	if slices.ContainsFunc(newest, Pass.isConclusive) {
		return newest
	}
	for _, p := range slices.Backward(passes[:forgotten]) {
		if p.isConclusive() {
			newest[0] = p
			break
		}
	}
	return newest
}

// shortened truncates a text to maxPassError bytes, between characters.
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
