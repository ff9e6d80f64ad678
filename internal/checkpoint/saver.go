package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/generation"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/checkpoint/watermark"
)

// saver writes what a pass has settled. The caller holds saving.turn.
type saver struct {
	store store.Store
	lease store.Lease
	chain *generation.Chain
	log   *slog.Logger

	base     record.Manifest
	writer   chunk.Writer
	merger   chunk.Merger                       // merges the pass's changes into the base's entries
	setAside *chunk.Walker[chunk.QuarantineRow] // walks the base's quarantine
	progress record.Progress                    // the progress record that was saved last
	seq      int64                              // sequence number of that record

	inherited   []record.Ahead                 // rows that the interrupted pass saved ahead of the mark
	asideBefore map[string]*record.Quarantined // by key: objects that the interrupted pass quarantined above its mark
	ahead       []record.Ahead                 // rows that this process saved ahead of the mark
}

// rewind moves the base's walkers back to their positions after the last save.
func (s *saver) rewind() {
	r := s.progress.Ranges[0]
	s.merger.Base = chunk.NewWalker[chunk.EntryRow](s.store, s.base.Chunks, r.CarriedAfter)
	s.setAside = chunk.NewWalker[chunk.QuarantineRow](s.store, s.base.QuarantineChunks, r.Mark)
}

func (s *saver) close() error {
	return errors.Join(s.merger.Base.Close(), s.setAside.Close())
}

// saveState writes a progress record with the ranges of the last save and the current state.
func (s *saver) saveState(ctx context.Context, now state) error {
	if err := s.lease.Held(ctx); err != nil {
		return err
	}
	return s.saveProgress(ctx, s.progress.Ranges[0], now)
}

// save writes one batch: first the chunks, then the progress record that names them.
func (s *saver) save(ctx context.Context, b watermark.Batch, now state) error {
	if err := s.lease.Held(ctx); err != nil {
		return err
	}
	r, err := s.extend(ctx, b, s.merger.UpTo(ctx, b.Changes))
	if err != nil {
		return err
	}
	if r.Chunks, err = chunk.CompactTail[chunk.EntryRow](ctx, &s.writer, record.ChunkPrefix, r.Chunks); err != nil {
		return err
	}
	r.QuarantineChunks, err = chunk.CompactTail[chunk.QuarantineRow](ctx, &s.writer, record.QuarantinePrefix, r.QuarantineChunks)
	if err != nil {
		return err
	}
	if err := s.saveAhead(ctx, &r, b); err != nil {
		return err
	}
	return s.saveProgress(ctx, r, now)
}

// extend writes the batch as chunks and returns a range that includes the new chunks.
func (s *saver) extend(ctx context.Context, b watermark.Batch, items iter.Seq2[chunk.Item[chunk.EntryRow], error]) (record.Range, error) {
	r := s.progress.Ranges[0]
	made, err := chunk.Write(ctx, &s.writer, record.ChunkPrefix, items)
	if err != nil {
		return r, err
	}
	aside, err := chunk.Write(ctx, &s.writer, record.QuarantinePrefix, s.continued(ctx, b.Aside))
	if err != nil {
		return r, err
	}
	r.Chunks = slices.Concat(r.Chunks, made)
	r.QuarantineChunks = slices.Concat(r.QuarantineChunks, aside)
	r.Mark, r.Counts = b.Mark, b.Counts
	if n := len(b.Changes); n > 0 {
		r.CarriedAfter = b.Changes[n-1].Key
	}
	return r, nil
}

// continued yields the quarantine rows to write. It adds to each row what the base generation
// recorded about the same source version.
func (s *saver) continued(ctx context.Context, aside []watermark.Aside) iter.Seq2[chunk.Item[chunk.QuarantineRow], error] {
	return func(yield func(chunk.Item[chunk.QuarantineRow], error) bool) {
		for _, q := range aside {
			row, err := s.rowOf(ctx, &q)
			if !yield(chunk.Item[chunk.QuarantineRow]{Row: row}, err) || err != nil {
				return
			}
		}
	}
}

// rowOf returns the row of a quarantined object. A held object keeps the row of the base.
func (s *saver) rowOf(ctx context.Context, q *watermark.Aside) (chunk.QuarantineRow, error) {
	before, err := s.setAside.Find(ctx, q.Key)
	if err != nil && !errors.Is(err, io.EOF) {
		return chunk.QuarantineRow{}, err
	}
	if again := s.asideBefore[q.Key]; again != nil {
		before, err = chunk.RowOfQuarantined(again), nil
	}
	known := err == nil && before.Source().Same(q.Source)
	switch {
	case q.Held && !known:
		return chunk.QuarantineRow{}, fmt.Errorf("BUG: key %q is held, but this version of it was not set aside before", q.Key)
	case q.Held:
		before.WrittenSince = q.WrittenSince.UnixMicro() // the only field that Hold can change
		return before, nil
	}
	row := chunk.RowOfQuarantined(&q.Quarantined)
	if known {
		row.FirstAt = before.FirstAt
		row.Attempts += before.Attempts
	}
	return row, nil
}

// progressTries limits how many sequence numbers a save tries until one is free. A number can be
// taken by an earlier write whose response was lost, or by a write of a process that had already
// lost the lease.
const progressTries = 16

func (s *saver) saveProgress(ctx context.Context, r record.Range, now state) error {
	p := s.progress
	p.Ranges, p.Uploads, p.Claims, p.SavedAt = []record.Range{r}, now.uploads, append([]record.Claim{}, now.claims...), s.chain.Now()
	p.Refusal = now.refusal
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
func (s *saver) commit(ctx context.Context, b watermark.Batch, kept []record.Upload, claims []record.Claim) (record.Manifest, error) {
	if err := s.lease.Held(ctx); err != nil {
		return record.Manifest{}, err
	}
	r, err := s.extend(ctx, b, s.merger.ToEnd(ctx, b.Changes))
	if err != nil {
		return record.Manifest{}, err
	}
	if r.Chunks, err = chunk.Compact[chunk.EntryRow](ctx, &s.writer, record.ChunkPrefix, r.Chunks); err != nil {
		return record.Manifest{}, err
	}
	r.QuarantineChunks, err = chunk.Compact[chunk.QuarantineRow](ctx, &s.writer, record.QuarantinePrefix, r.QuarantineChunks)
	if err != nil {
		return record.Manifest{}, err
	}
	m, err := s.manifest(r)
	if err != nil {
		return record.Manifest{}, err
	}
	m.Uploads, m.Claims = kept, claims
	if err := s.lease.Held(ctx); err != nil {
		return record.Manifest{}, err // checked again, because writing the chunks can take a long time
	}
	return m, s.chain.Publish(ctx, m)
}

// manifest describes the generation. It returns an error if the number of rows differs from the
// number of settled keys.
func (s *saver) manifest(r record.Range) (record.Manifest, error) {
	m := record.Manifest{
		Version: store.FormatVersion, Mapping: s.progress.Mapping, Generation: s.progress.Generation,
		Base: s.progress.Base, Pass: s.progress.Generation, Holder: s.progress.Holder,
		Settings: s.progress.Settings, StartedOver: s.base.StartedOver,
		StartedAt: s.progress.StartedAt, CommittedAt: s.chain.Now(), Counts: r.Counts,
		Entries: record.EntriesIn(r.Chunks), Quarantined: record.EntriesIn(r.QuarantineChunks),
		Chunks: r.Chunks, QuarantineChunks: r.QuarantineChunks,
	}
	s.chain.Stamp(&m, s.base)
	if m.Entries != r.Counts.Entries() || m.Quarantined != r.Counts.Quarantined {
		return m, fmt.Errorf("BUG: chunks have %d entries and %d quarantined objects, but %d and %d were settled",
			m.Entries, m.Quarantined, r.Counts.Entries(), r.Counts.Quarantined)
	}
	return m, nil
}
