package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/overlay"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/listing"
)

// past is what the ledger tells of the passes before the next one, read without its lease.
type past struct {
	store    store.Store
	mapping  string
	last     record.Manifest // zero: none
	progress record.Progress // of the pass that would be resumed; zero: none
	settings record.Settings // of the next pass
	claims   []record.Claim  // that the next pass inherits

	// What the pass that would be resumed has saved above its mark is laid over the rows of the last generation.
	overEntries func(iter.Seq2[record.Entry, error]) iter.Seq2[record.Entry, error]
	overAside   func(iter.Seq2[record.Quarantined, error]) iter.Seq2[record.Quarantined, error]
	damage      string // why there is no last generation although there were some
}

var _ known = (*past)(nil)

// readPast reads the last generation. Where none is whole the next pass begins with an empty ledger, and so does its preview.
func (s *Syncer) readPast(ctx context.Context) (*past, error) {
	last, err := record.Latest(ctx, s.o.Store, s.o.Mapping)
	p := &past{store: s.o.Store, mapping: s.o.Mapping, last: last}
	switch {
	case errors.Is(err, record.ErrNothingWhole):
		p.damage = err.Error()
	case errors.Is(err, record.ErrNoCheckpoint):
	case err != nil:
		return nil, err
	}
	if p.last.Generation == 0 {
		return p, s.offerFormer(ctx)
	}
	return p, nil
}

// resume looks for a pass that one with these settings would resume, and for what others may have left behind.
func (p *past) resume(ctx context.Context, now record.Settings) error {
	p.settings, p.claims = now, p.last.Claims
	if p.damage != "" {
		p.overEntries, p.overAside, _ = overlay.Of(ctx, p.store, record.Progress{}) // nothing is read
		return nil
	}
	progress, ok, err := record.Unfinished(ctx, p.store, p.mapping)
	if err != nil {
		return fmt.Errorf("look for an unfinished pass: %w", err)
	}
	if ok {
		p.claims = progress.Claims // those of the last generation are among them
	}
	if ok && progress.Fingerprint == now.Fingerprint {
		p.progress, p.settings = progress, progress.Settings
	}
	p.overEntries, p.overAside, err = overlay.Of(ctx, p.store, p.progress)
	return err
}

// Memo returns the memo of the next pass.
func (p *past) Memo() string { return p.settings.Memo }

// Claims returns the claims that the next pass inherits.
func (p *past) Claims() []record.Claim { return p.claims }

// Number returns the number that the next pass would have.
func (p *past) Number() int64 { return p.last.Generation + 1 }

// Mark returns the key behind which the next pass would begin.
func (p *past) Mark() string {
	if len(p.progress.Ranges) == 0 {
		return ""
	}
	return p.progress.Ranges[0].Mark
}

// Previous yields the entries behind the mark: the last generation's, and over them what the pass that would be resumed has
// saved.
func (p *past) Previous(ctx context.Context) iter.Seq2[record.Entry, error] {
	return p.overEntries(behind(p, checkpoint.Entries(ctx, p.store, p.mapping), func(e record.Entry) string { return e.Key }))
}

// Base yields the entries of the last generation.
func (p *past) Base(ctx context.Context) iter.Seq2[record.Entry, error] {
	if p.last.Generation == 0 {
		return func(func(record.Entry, error) bool) {}
	}
	return checkpoint.Entries(ctx, p.store, p.mapping)
}

// PreviousQuarantine yields what was set aside behind the mark, likewise.
func (p *past) PreviousQuarantine(ctx context.Context) iter.Seq2[record.Quarantined, error] {
	return p.overAside(behind(p, checkpoint.Quarantine(ctx, p.store, p.mapping), func(q record.Quarantined) string { return q.Key }))
}

func behind[T any](p *past, rows iter.Seq2[T, error], keyOf func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if p.last.Generation == 0 {
			return
		}
		mark := p.Mark()
		for row, err := range rows {
			if (err != nil || keyOf(row) > mark) && !yield(row, err) {
				return
			}
		}
	}
}

// looking is a pass that is only looked at, and what it has listed.
type looking struct {
	*pass
	past                *past
	source, destination *leafed
}

func (s *Syncer) look(of *past) *looking {
	l := &looking{past: of, source: &leafed{Lister: s.o.Source}, destination: &leafed{Lister: s.o.Destination}}
	o := s.o
	o.Source = l.source
	if o.Destination != nil {
		o.Destination = l.destination
	}
	l.pass = &pass{Syncer: &Syncer{o: o, count: s.count, quoter: s.quoter}, log: o.Logger, start: o.Now(), expectNothing: of.last.Entries == 0}
	return l
}

// ledgerWrites estimates how many records a pass writes that settles so many changes in that time: with each save a chunk,
// which is removed when it was merged into a larger one, a progress record, and the removal of an older one; with each claim a
// progress record and such a removal; at the end a chunk and the manifest.
func (l *looking) ledgerWrites(changes int64, seconds float64) int64 {
	if changes == 0 {
		return 1
	}
	entries := cmp.Or(int64(l.o.Ledger.FlushEntries), 4096) // as checkpoint.Options has it, like the interval
	interval := cmp.Or(l.o.Ledger.FlushInterval, 10*time.Second)
	saves := (changes-1)/entries + savesInTime(seconds, interval)
	claims := 1 + changes/claimAhead
	return 4*saves + 2*claims + 2
}

// savesInTime is how often a pass of that many seconds is saved because of its time: first after a second, then after twice as long each
// time, up to the interval.
func savesInTime(seconds float64, interval time.Duration) (saves int64) {
	patience := min(time.Second, interval)
	left := time.Duration(seconds * float64(time.Second))
	for ; patience < interval && left >= patience; saves++ {
		left -= patience
		patience = min(2*patience, interval)
	}
	if left > 0 && interval > 0 {
		saves += int64(left / interval)
	}
	return saves
}

// leafed is a listing whose pages are counted.
type leafed struct {
	Lister
	begun   bool
	objects int64
}

// List lists and counts.
func (l *leafed) List(ctx context.Context, r listing.Range) iter.Seq2[listing.Object, error] {
	return func(yield func(listing.Object, error) bool) {
		l.begun = true
		for object, err := range l.Lister.List(ctx, r) {
			if err == nil {
				l.objects++
			}
			if !yield(object, err) {
				return
			}
		}
	}
}

// pages returns how many requests the objects took, of which each answers a thousand (Amazon S3 API Reference,
// ListObjectsV2, MaxKeys): one at least, also where there were none.
func (l *leafed) pages() int64 {
	const keys = 1000
	if !l.begun {
		return 0
	}
	return max(1, (l.objects+keys-1)/keys)
}
