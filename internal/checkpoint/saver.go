package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/generation"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// saver writes what a pass has settled. The caller holds saving.turn.
type saver struct {
	store    store.Store
	lease    store.Lease
	chain    *generation.Chain
	log      *slog.Logger
	base     record.Manifest
	writer   chunk.Writer
	merger   chunk.Writer    // for MergeSaved, which runs at the same time as saves
	progress record.Progress // the progress record that was saved last
	seq      int64           // sequence number of that record
}

// batch is what one save writes.
type batch struct {
	changes
	settled record.Ranges
	counts  record.Counts // of the settled keys
}

// state is the part of a progress record that needs no rows to be written first.
type state struct {
	uploads        []record.Upload
	uploadsVersion int64
	claims         []record.Claim
	claimsVersion  int64
	refusal        *record.Refusal
}

// saveState writes a progress record with the rows of the last save and the current state.
func (s *saver) saveState(ctx context.Context, now state) error {
	if err := s.lease.Held(ctx); err != nil {
		return err
	}
	return s.saveProgress(ctx, s.progress, now)
}

// save writes one batch: first the rows, then the progress record that names them.
func (s *saver) save(ctx context.Context, b batch, now state) error {
	if err := s.lease.Held(ctx); err != nil {
		return err
	}
	p, err := s.extend(ctx, b)
	if err != nil {
		return err
	}
	return s.saveProgress(ctx, p, now)
}

// extend writes the rows of a batch and returns a progress record that names them.
func (s *saver) extend(ctx context.Context, b batch) (p record.Progress, err error) {
	p = s.progress
	b.sort()
	if p.Runs, err = appendRun(ctx, &s.writer, record.ChunkPrefix, p.Runs, b.entries); err != nil {
		return p, err
	}
	if p.QuarantineRuns, err = appendRun(ctx, &s.writer, record.QuarantinePrefix, p.QuarantineRuns, b.quarantined); err != nil {
		return p, err
	}
	p.Settled, p.Counts = b.settled, b.counts
	p.Entries += b.moreEntries
	p.Quarantined += b.moreQuarantined
	return p, nil
}

// appendRun writes rows as a new run and returns all runs of the pass.
func appendRun[R chunk.Row](ctx context.Context, w *chunk.Writer, prefix string, runs []record.Run, rows []R) ([]record.Run, error) {
	if len(rows) == 0 {
		return runs, nil
	}
	chunks, err := chunk.Write(ctx, w, prefix, chunk.Items(rows))
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(runs), record.Run{Chunks: chunks}), nil
}

// progressTries limits how many sequence numbers a save tries until one is free. A number can be
// taken by an earlier write whose response was lost, or by a write of a process that had already
// lost the lease.
const progressTries = 16

func (s *saver) saveProgress(ctx context.Context, p record.Progress, now state) error {
	p.Uploads, p.Claims, p.Refusal, p.SavedAt = now.uploads, now.claims, now.refusal, s.chain.Now()
	err := fs.ErrExist
	for try := 0; errors.Is(err, fs.ErrExist) && try < progressTries; try++ {
		s.seq++
		err = store.CreateSealed(ctx, s.store, record.ProgressName(p.Mapping, p.Generation, s.seq), p)
	}
	if err != nil {
		return err
	}
	s.progress = p
	// Keep one older record in case the new one is damaged. The next commit removes records that
	// could not be deleted here.
	old := record.ProgressName(p.Mapping, p.Generation, s.seq-2)
	if err := s.store.Delete(ctx, old); err != nil {
		s.log.Warn("progress record not deleted", "mapping", p.Mapping, "name", old, "err", err)
	}
	return nil
}

// commit writes the remaining rows of the pass and then the manifest, which commits the pass.
func (s *saver) commit(ctx context.Context, b batch, kept []record.Upload, claims []record.Claim) (record.Manifest, error) {
	if err := s.lease.Held(ctx); err != nil {
		return record.Manifest{}, err
	}
	p, err := s.extend(ctx, b)
	if err != nil {
		return record.Manifest{}, err
	}
	m, err := s.manifest(p)
	if err != nil {
		return record.Manifest{}, err
	}
	if m.Runs, err = chunk.Combine[chunk.EntryRow](ctx, &s.writer, record.ChunkPrefix, s.base.Runs, p.Runs); err != nil {
		return record.Manifest{}, err
	}
	m.QuarantineRuns, err = chunk.Combine[chunk.QuarantineRow](ctx, &s.writer, record.QuarantinePrefix, s.base.QuarantineRuns, p.QuarantineRuns)
	if err != nil {
		return record.Manifest{}, err
	}
	m.Uploads, m.Claims = kept, claims
	if err := s.lease.Held(ctx); err != nil {
		return record.Manifest{}, err // checked again, because writing the chunks can take a long time
	}
	return m, s.chain.Publish(ctx, m)
}

// manifest describes the generation, without its runs. It returns an error if the number of keys
// that have rows differs from the number of settled keys.
func (s *saver) manifest(p record.Progress) (record.Manifest, error) {
	m := record.Manifest{
		Version: store.FormatVersion, Mapping: p.Mapping, Generation: p.Generation,
		Base: p.Base, Pass: p.Generation, Holder: p.Holder,
		Settings: p.Settings, StartedOver: s.base.StartedOver,
		StartedAt: p.StartedAt, CommittedAt: s.chain.Now(), Counts: p.Counts,
		Entries: p.Entries, Quarantined: p.Quarantined,
	}
	s.chain.Stamp(&m, s.base)
	if m.Entries != p.Counts.Entries() || m.Quarantined != p.Counts.Quarantined {
		return m, fmt.Errorf("BUG: the ledger has %d entries and %d quarantined objects, but %d and %d were settled: some keys were not reserved",
			m.Entries, m.Quarantined, p.Counts.Entries(), p.Counts.Quarantined)
	}
	return m, nil
}
