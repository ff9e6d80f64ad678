package checkpoint

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/generation"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/checkpoint/turn"
)

// Ledger is one mapping's ledger, opened for writing.
type Ledger struct {
	store   store.Store
	options Options
	lease   store.Lease
	chain   *generation.Chain
	journal *history.Journal

	calling    sync.Mutex      // serialises Begin and Close
	settings   record.Settings // settings of the passes that begin from now on
	pass       *Pass           // the pass that began last
	superseded error           // why no more passes can begin; nil if passes can begin
	closed     bool
}

// Open acquires the lease on a mapping's ledger and loads the last generation. It checks that each
// chunk exists and has the right size and footer. It reads the rows of the chunks only if
// Options.Full is set. Otherwise damage to rows is found when a pass reads them: the pass then fails
// with a *CorruptError, and the caller can open the ledger again with Options.Full. If Open finds
// damage in the last generation, it logs a warning and falls back to the newest intact generation.
// Work that was done after that generation is repeated. If no
// generation is intact, Open returns an error that wraps ErrNothingWhole and the *CorruptErrors,
// unless Options.StartOver is set. If another process holds the lease, the error is a
// *LeaseHeldError. If the previous holder did not release the lease, Open first fences that holder
// off, so that it can no longer commit. The next pass then resumes from what the previous holder
// saved.
func Open(ctx context.Context, store store.Store, o Options) (*Ledger, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	lease, err := store.Acquire(ctx, o.Mapping, o.Holder)
	if err != nil {
		return nil, fmt.Errorf("open ledger in %s: %w", store, err)
	}
	chain, err := generation.Open(ctx, store, lease, generation.Options{
		Mapping: o.Mapping, Holder: o.Holder, Nonce: nonce(), Now: o.Now, Logger: o.Logger,
		Keep: o.KeepGenerations, KeepFor: o.KeepFor, Verified: o.Verified, Full: o.Full, StartOver: o.StartOver,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open ledger of %q in %s: %w", o.Mapping, store, err), lease.Release())
	}
	return &Ledger{
		store: store, options: o, lease: lease, chain: chain, journal: history.NewJournal(store, lease, o.Mapping, o.Holder, o.Logger),
		settings: record.Settings{Fingerprint: o.Fingerprint},
	}, nil
}

// nonce returns 8 random characters that identify this writer of the mapping.
func nonce() string { return strings.ToLower(rand.Text()[:8]) }

// Manifest returns the manifest of the last committed generation. Its Generation is 0 if there is
// none.
func (l *Ledger) Manifest() record.Manifest { return l.chain.Manifest() }

// Generation returns the number of the last committed generation, 0 if there is none.
func (l *Ledger) Generation() int64 { return l.Manifest().Generation }

// Entries returns the number of rows in the last committed generation.
func (l *Ledger) Entries() int64 { return l.Manifest().Entries }

// Begin resumes the pass that was interrupted since the last generation, or starts a new one. The
// previous pass must have been committed or abandoned, or have failed. After ErrSuperseded no pass
// can begin, and the caller must close the ledger.
func (l *Ledger) Begin(ctx context.Context) (*Pass, error) {
	l.calling.Lock()
	defer l.calling.Unlock()
	if l.closed {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, store.ErrLeaseLost)
	}
	if l.superseded != nil {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, l.superseded)
	}
	if err := l.finishLast(ctx); err != nil {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, err)
	}
	base, newest := l.chain.Last()
	fresh := record.Progress{
		Version: store.FormatVersion, Mapping: l.options.Mapping, Generation: newest + 1, Base: base.Generation,
		Holder: l.options.Holder, Settings: l.settings, StartedAt: l.chain.Now(), Entries: base.Entries, Quarantined: base.Quarantined,
	}
	found, err := findUnfinished(ctx, search{store: l.store, chain: l.chain, log: l.options.Logger, base: &base, fresh: &fresh})
	if err != nil {
		return nil, fmt.Errorf("begin pass of %q: %w", l.options.Mapping, err)
	}
	l.pass = l.newPass(base, found)
	return l.pass, nil
}

// SetSettings sets the settings of the passes that begin from now on. It calls decide immediately
// and uses the settings that decide returns. The parameter last is the settings of the last
// generation, zero if there is none; pass is the number of the next pass. A pass that resumes an
// interrupted pass keeps the settings of that pass.
func (l *Ledger) SetSettings(decide func(last record.Settings, pass int64) record.Settings) {
	l.calling.Lock()
	defer l.calling.Unlock()
	base, newest := l.chain.Last()
	l.settings = decide(base.Settings, newest+1)
}

// finishLast returns an error unless the last pass has ended. If that pass failed, it may
// nevertheless have committed, so finishLast reloads the generations from the store.
func (l *Ledger) finishLast(ctx context.Context) error {
	if l.pass == nil {
		return nil
	}
	reason := l.pass.failure()
	if reason == nil {
		return fmt.Errorf("pass %d is still running", l.pass.number)
	}
	l.pass.close()
	if errors.Is(reason, ErrPassEnded) {
		return nil
	}
	if errors.Is(reason, store.ErrSuperseded) {
		l.superseded = reason
		return reason
	}
	err := l.chain.Reload(ctx, l.pass.number)
	if errors.Is(err, store.ErrSuperseded) {
		l.superseded = err
	}
	return err
}

func (l *Ledger) newPass(base record.Manifest, from unfinished) *Pass {
	progress := from.progress
	s := &saving{
		unsaved: unsaved{
			number: progress.Generation, options: &l.options, fingerprint: progress.Fingerprint,
			began: progress.StartedAt, settled: progress.Settled, counts: progress.Counts,
			uploads: newUploads(from.uploads, progress.Settled), claims: claims{inherited: from.claims}, refusal: progress.Refusal,
			savedAt: l.options.Now(), patience: min(firstPatience, l.options.FlushInterval),
		},
		turn: turn.New(), merging: turn.New(),
		saver: saver{
			store: l.store, lease: l.lease, chain: l.chain, log: l.options.Logger,
			base: base, progress: progress, seq: from.seq,
			writer: l.newWriter(progress.Generation), merger: l.newWriter(progress.Generation),
		},
	}
	return &Pass{
		saving: s, View: NewView(l.store, base, progress), claiming: claiming{s}, deleting: deleting{s},
		chain: l.chain, settings: progress.Settings, resumed: len(progress.Settled) > 0 || len(progress.Runs) > 0 || len(progress.QuarantineRuns) > 0,
	}
}

// newWriter returns a writer of chunks whose names no other writer uses.
func (l *Ledger) newWriter(generation int64) chunk.Writer {
	return chunk.Writer{
		Store: l.store, Mapping: l.options.Mapping, Generation: generation,
		Nonce: nonce(), MaxRows: int64(l.options.ChunkEntries), Encoders: l.options.Encoders,
	}
}

// Enter adds a pass to the history of the mapping. See history.Journal.Enter.
func (l *Ledger) Enter(ctx context.Context, r history.Pass) ([]history.Pass, error) {
	return l.journal.Enter(ctx, r)
}

// EnterAlone adds to the history a pass that failed before it opened a ledger. See
// history.EnterAlone.
func EnterAlone(ctx context.Context, records store.Store, o Options, r history.Pass) ([]history.Pass, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	return history.EnterAlone(ctx, records, o.Mapping, o.Holder, o.Logger, r)
}

// Past returns the passes that have ended, oldest first. See history.Journal.Past.
func (l *Ledger) Past(ctx context.Context) ([]history.Pass, error) { return l.journal.Past(ctx) }

// TakeHistory inserts passes of another mapping before the passes in this mapping's history. See
// history.Journal.Take.
func (l *Ledger) TakeHistory(ctx context.Context, passes []history.Pass) error {
	return l.journal.Take(ctx, passes)
}

// Close ends the pass in progress without saving it and releases the lease. It is idempotent.
func (l *Ledger) Close() error {
	l.calling.Lock()
	defer l.calling.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if l.pass != nil {
		l.pass.close()
	}
	return l.lease.Release()
}
