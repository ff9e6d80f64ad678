package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"time"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// saver writes what a pass has settled. It is used under Pass.saving.
type saver struct {
	ledger   *Ledger
	base     record.Manifest
	writer   chunk.Writer
	weaver   chunk.Merger                       // over the base's entries
	setAside *chunk.Walker[chunk.QuarantineRow] // over the base's quarantine
	progress record.Progress                    // as it will be saved next, but for its last batch
	seq      int64                              // of the progress record saved last

	inherited   []record.Ahead                 // as the interrupted pass was saved last
	asideBefore map[string]*record.Quarantined // what that had set aside above its mark
	ahead       []record.Ahead                 // that this process has written
}

// Due reports whether a Flush is worth while: there is something new to save,
// uploads among it, and Options.FlushInterval has gone by, or Options.FlushEntries
// changes wait.
func (p *Pass) Due() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	o := &p.ledger.options
	return p.err == nil && p.isUnsaved() &&
		(p.water.waiting() >= o.FlushEntries || o.Now().Sub(p.savedAt) >= p.patience || p.isAheadDue())
}

// isAheadDue reports whether what is settled above the mark is due to be saved. Most of it the mark passes before it is. The
// caller holds p.mu.
func (p *Pass) isAheadDue() bool {
	return p.water.ahead > 0 && p.ledger.options.Now().Sub(p.savedAheadAt) >= p.patience
}

// isUnsaved reports whether there is something to save. The caller holds p.mu.
func (p *Pass) isUnsaved() bool {
	return p.water.waiting() > 0 || p.water.ahead > 0 || p.water.batch.mark != p.savedMark || p.uploads.changed()
}

// firstPatience is how long after its beginning a pass is due to be saved for the first time; it doubles with each save up to
// Options.FlushInterval.
const firstPatience = time.Second

// Flush saves what is settled: first the chunks, then the progress record that
// names them, the low-water mark, the uploads under way and the claims. What is
// settled above the mark is saved too, so that one slow key costs nothing but
// itself. When nothing was settled, and no upload began or ended, it writes nothing.
// After a Flush that failed the pass goes on no more, and Begin resumes behind the
// last progress record; but when ctx ended during it the changes wait on, so that a
// drain can still save them with Abandon.
func (p *Pass) Flush(ctx context.Context) error { return p.flush(ctx, true) }

// FlushDue saves what of it is due: as Flush, but what is above the mark only when it has been there for as long as a save may
// wait.
func (p *Pass) FlushDue(ctx context.Context) error { return p.flush(ctx, false) }

func (p *Pass) flush(ctx context.Context, ahead bool) error {
	if err := p.saving.Take(ctx); err != nil {
		return err
	}
	defer p.saving.Give()
	p.mu.Lock()
	if p.err != nil || !p.isUnsaved() {
		defer p.mu.Unlock()
		return p.err
	}
	if ahead = ahead || p.isAheadDue(); ahead {
		p.savedAheadAt = p.ledger.options.Now()
	}
	taken := p.water.take()
	if ahead {
		taken.isAll = p.saver.aheadIsFull()
		taken.ahead = p.water.takeAhead(taken.isAll)
	}
	now := p.state(taken.mark)
	p.mu.Unlock()
	if err := p.saveTaken(ctx, taken, now); err != nil {
		err = fmt.Errorf("save pass %d: %w", p.number, err)
		if ctx.Err() != nil {
			return errors.Join(err, p.putBack(taken))
		}
		return p.fail(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.savedAt, p.savedMark, p.uploads.saved = p.ledger.options.Now(), taken.mark, now.version
	p.patience = min(2*p.patience, p.ledger.options.FlushInterval)
	p.wake()
	return nil
}

// state is what a progress record says beside its ranges.
type state struct {
	uploads []record.Upload
	version int64 // of the uploads
	claims  []record.Claim
	refusal *record.Refusal
}

// state returns it for a record of that mark. The caller holds p.mu.
func (p *Pass) state(mark string) (now state) {
	now.uploads, now.version = p.uploads.all()
	now.claims, now.refusal = p.claims.all(mark, p.settings.Fingerprint), p.refusal
	return now
}

// saveState writes a progress record of what was saved before and of the state now. The caller holds p.saving.
func (p *Pass) saveState(ctx context.Context) error {
	p.mu.Lock()
	now := p.state(p.savedMark)
	p.mu.Unlock()
	if err := p.saver.saveState(ctx, now); err != nil {
		err = fmt.Errorf("save pass %d: %w", p.number, err)
		if ctx.Err() != nil {
			return err // nothing was taken out, so the next save makes up for it
		}
		return p.fail(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.uploads.saved = now.version
	return nil
}

// saveTaken saves a batch that waits no more. A panic ends the pass: a later save would build on what is half done.
func (p *Pass) saveTaken(ctx context.Context, taken batch, now state) error {
	returned := false
	defer func() {
		if !returned {
			_ = p.fail(ErrPassEnded)
		}
	}()
	err := p.saver.save(ctx, taken, now)
	returned = true
	return err
}

// putBack makes a batch wait again that could not be saved.
func (p *Pass) putBack(b batch) error {
	err := p.saver.close()
	p.saver.rewind()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.water.putBack(b)
	return err
}

// Abandon saves what is settled up to the low-water mark and ends the pass; the
// next Begin resumes it. Slots that are settled later are settled in vain.
func (p *Pass) Abandon(ctx context.Context) error {
	err := p.Flush(ctx)
	return errors.Join(err, p.close())
}

// Commit makes the next generation of the pass and returns its number. Every
// slot must be settled and every entry of the previous generation reserved, else
// it returns an error and the pass goes on. One write makes the generation true.
// After any other error the pass has ended and Begin finds out what became true;
// ErrSuperseded says that another writer has taken over.
func (p *Pass) Commit(ctx context.Context) (generation int64, err error) {
	if err := p.reserving.Take(ctx); err != nil {
		return 0, err
	}
	defer p.reserving.Give()
	if err := p.saving.Take(ctx); err != nil {
		return 0, err
	}
	defer p.saving.Give()
	if err := p.complete(ctx); err != nil {
		return 0, fmt.Errorf("commit pass %d: %w", p.number, err)
	}
	p.mu.Lock()
	isSettled := func(c record.Claim) bool { return c.Fingerprint == p.settings.Fingerprint && !c.Proved }
	taken, claims := p.water.take(), append(slices.DeleteFunc(slices.Clone(p.claims.inherited), isSettled), p.claims.taken...)
	p.mu.Unlock()
	manifest, err := p.saver.commit(ctx, taken, p.KeptUploads(), claims)
	if err != nil {
		return 0, p.fail(fmt.Errorf("commit pass %d: %w", p.number, err))
	}
	_ = p.fail(ErrPassEnded)
	p.ledger.committed(ctx, manifest)
	return manifest.Generation, nil
}

// complete returns an error unless every key is reserved and settled.
func (p *Pass) complete(ctx context.Context) error {
	if err := p.failure(); err != nil {
		return err
	}
	if err := p.passedOver(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.water.n > 0 {
		return fmt.Errorf("%d keys from %q on are not settled", p.water.n, p.water.ring[p.water.first].key)
	}
	return nil
}

// close ends the pass, waits for what is under way and closes what is open. It
// is idempotent.
func (p *Pass) close() error {
	_ = p.fail(ErrPassEnded) // wakes a waiting Reserve, which holds the lock taken next
	p.reserving.MustTake()
	defer p.reserving.Give()
	p.saving.MustTake()
	defer p.saving.Give()
	return errors.Join(p.keys.Close(), p.saver.close())
}

// rewind goes to where the base was left by the last save.
func (s *saver) rewind() {
	r := s.progress.Ranges[0]
	s.weaver.Base = chunk.NewWalker[chunk.EntryRow](s.ledger.store, s.base.Chunks, r.CarriedAfter)
	s.setAside = chunk.NewWalker[chunk.QuarantineRow](s.ledger.store, s.base.QuarantineChunks, r.Mark)
}

func (s *saver) close() error {
	return errors.Join(s.weaver.Base.Close(), s.setAside.Close())
}

// saveState writes a progress record of what was saved before and of the state now.
func (s *saver) saveState(ctx context.Context, now state) error {
	if err := s.ledger.lease.Held(ctx); err != nil {
		return err
	}
	return s.saveProgress(ctx, s.progress.Ranges[0], now)
}

// save writes one batch: the chunks, then the progress record that names them and
// the state.
func (s *saver) save(ctx context.Context, b batch, now state) error {
	if err := s.ledger.lease.Held(ctx); err != nil {
		return err
	}
	r, err := s.extend(ctx, b, s.weaver.UpTo(ctx, b.changes))
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

// extend writes the batch as chunks and returns the range with them.
func (s *saver) extend(ctx context.Context, b batch, items iter.Seq2[chunk.Item[chunk.EntryRow], error]) (record.Range, error) {
	r := s.progress.Ranges[0]
	made, err := chunk.Write(ctx, &s.writer, record.ChunkPrefix, items)
	if err != nil {
		return r, err
	}
	aside, err := chunk.Write(ctx, &s.writer, record.QuarantinePrefix, s.continued(ctx, b.setAside))
	if err != nil {
		return r, err
	}
	r.Chunks = slices.Concat(r.Chunks, made)
	r.QuarantineChunks = slices.Concat(r.QuarantineChunks, aside)
	r.Mark, r.Counts = b.mark, b.counts
	if n := len(b.changes); n > 0 {
		r.CarriedAfter = b.changes[n-1].Key
	}
	return r, nil
}

// continued adds what the base generation knew of the same source versions.
func (s *saver) continued(ctx context.Context, aside []setAside) iter.Seq2[chunk.Item[chunk.QuarantineRow], error] {
	return func(yield func(chunk.Item[chunk.QuarantineRow], error) bool) {
		for _, q := range aside {
			row, err := s.rowOf(ctx, &q)
			if !yield(chunk.Item[chunk.QuarantineRow]{Row: row}, err) || err != nil {
				return
			}
		}
	}
}

// rowOf returns the row of what is set aside: the base's own when it is held.
func (s *saver) rowOf(ctx context.Context, q *setAside) (chunk.QuarantineRow, error) {
	before, err := s.setAside.Find(ctx, q.Key)
	if err != nil && !errors.Is(err, io.EOF) {
		return chunk.QuarantineRow{}, err
	}
	if again := s.asideBefore[q.Key]; again != nil {
		before, err = chunk.RowOfQuarantined(again), nil
	}
	known := err == nil && before.Source().Same(q.Source)
	switch {
	case q.held && !known:
		return chunk.QuarantineRow{}, fmt.Errorf("BUG: key %q is held, but this version of it was not set aside before", q.Key)
	case q.held:
		before.WrittenSince = q.WrittenSince.UnixMicro() // the one thing that may have become known since
		return before, nil
	}
	row := chunk.RowOfQuarantined(&q.Quarantined)
	if known {
		row.FirstAt = before.FirstAt
		row.Attempts += before.Attempts
	}
	return row, nil
}

// progressTries bounds the search for a free sequence number. A number is taken
// when an earlier attempt has landed unnoticed, or by a writer that lost the
// lease and wrote once more.
const progressTries = 16

func (s *saver) saveProgress(ctx context.Context, r record.Range, now state) error {
	p := s.progress
	p.Ranges, p.Uploads, p.Claims, p.SavedAt = []record.Range{r}, now.uploads, append([]record.Claim{}, now.claims...), s.ledger.now()
	p.Refusal = now.refusal
	err := fs.ErrExist
	for try := 0; errors.Is(err, fs.ErrExist) && try < progressTries; try++ {
		s.seq++
		err = store.CreateSealed(ctx, s.ledger.store, record.ProgressName(p.Mapping, p.Generation, s.seq), p)
	}
	if err != nil {
		return err
	}
	s.progress = p
	// One older record stays, in case the new one turns out damaged. What is
	// not deleted here goes with the next commit.
	old := record.ProgressName(p.Mapping, p.Generation, s.seq-2)
	if err := s.ledger.store.Delete(ctx, old); err != nil {
		s.ledger.log.Warn("progress record not deleted", "mapping", p.Mapping, "name", old, "err", err)
	}
	return nil
}

// commit writes the rest of the pass and then the manifest, which makes it true.
func (s *saver) commit(ctx context.Context, b batch, kept []record.Upload, claims []record.Claim) (record.Manifest, error) {
	if err := s.ledger.lease.Held(ctx); err != nil {
		return record.Manifest{}, err
	}
	r, err := s.extend(ctx, b, s.weaver.ToEnd(ctx, b.changes))
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
	if err := s.ledger.lease.Held(ctx); err != nil {
		return record.Manifest{}, err // writing the chunks may have taken long
	}
	return m, s.ledger.publish(ctx, m)
}

// manifest describes the generation, and refuses one whose rows are not those
// that were settled.
func (s *saver) manifest(r record.Range) (record.Manifest, error) {
	m := record.Manifest{
		Version: store.FormatVersion, Mapping: s.progress.Mapping, Generation: s.progress.Generation,
		Base: s.progress.Base, Pass: s.progress.Generation, Holder: s.progress.Holder,
		Writer: s.ledger.nonce, Lease: s.ledger.leaseAfter(s.base), Settings: s.progress.Settings, StartedOver: s.base.StartedOver,
		StartedAt: s.progress.StartedAt, CommittedAt: s.ledger.now(), Counts: r.Counts,
		Entries: record.EntriesIn(r.Chunks), Quarantined: record.EntriesIn(r.QuarantineChunks),
		Chunks: r.Chunks, QuarantineChunks: r.QuarantineChunks,
	}
	if m.Entries != r.Counts.Entries() || m.Quarantined != r.Counts.Quarantined {
		return m, fmt.Errorf("BUG: chunks hold %d entries and %d quarantined, %d and %d were settled",
			m.Entries, m.Quarantined, r.Counts.Entries(), r.Counts.Quarantined)
	}
	return m, nil
}
