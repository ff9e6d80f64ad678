package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// savedPass is the name of a progress record and what it says.
type savedPass struct {
	name            string
	generation, seq int64
}

// savedPasses lists a mapping's progress records, last first: by the number of
// the pass, then by the order in which they were saved.
func savedPasses(ctx context.Context, store Store, mapping string) (saved []savedPass, err error) {
	names, err := store.List(ctx, mapping+"/"+progressPrefix)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Backward(names) {
		if generation, seq, ok := numbersIn(name, progressPrefix, recordSuffix); ok {
			saved = append(saved, savedPass{name, generation, seq})
		}
	}
	return saved, nil
}

// goesOn reports whether a pass that was saved can be gone on with on base: it
// started from that generation, or from one of the same content.
func (p *Progress) goesOn(base *Manifest) bool {
	return p.Generation > base.StartedOver && (p.Base == base.Generation || slices.Contains(base.Repeats, p.Base))
}

// Unfinished returns how far the pass after the last generation has come, without
// the lease. Ok is false when none has saved anything, or what it saved is damaged.
func Unfinished(ctx context.Context, store Store, mapping string) (progress Progress, ok bool, err error) {
	base, err := latest(ctx, store, mapping)
	if err != nil && !errors.Is(err, ErrNoCheckpoint) {
		return Progress{}, false, err
	}
	saved, err := savedPasses(ctx, store, mapping)
	if err != nil {
		return Progress{}, false, err
	}
	for _, s := range saved {
		progress = Progress{}
		err := readRecord(ctx, store, s.name, &progress)
		if _, isDamage := errors.AsType[*CorruptError](err); isDamage || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Progress{}, false, err
		}
		if progress.goesOn(&base) {
			return progress, true, nil
		}
	}
	return Progress{}, false, nil
}

// unfinished is what passes that did not commit left to the next one.
type unfinished struct {
	progress Progress // to go on from
	seq      int64    // highest sequence number that this pass has taken
	uploads  []Upload // that were recorded, by whichever of these passes
	claims   []Claim  // likewise
}

// findUnfinished looks for the last progress record that base can be gone on from
// as the pass that fresh describes; where there is none that is whole, fresh is
// what it finds. The uploads are those of every pass since base, be it gone on with
// or not, as its last readable record names them.
//
// A holder that was fenced off may still be saving, so that a record that was
// listed is deleted before it is read.
func (l *Ledger) findUnfinished(ctx context.Context, base Manifest, fresh Progress) (u unfinished, err error) {
	for range vanishTries {
		s := search{ledger: l, base: &base, fresh: &fresh, found: unfinished{progress: fresh}}
		if err = s.run(ctx); err == nil && !s.decided { // else a later record has named them
			s.hear(base.Uploads, base.Claims, true)
		}
		u = s.found
		if base.Generation > 0 && (s.damaged || l.newest > base.Generation) {
			// Of what is damaged nothing says which keys it was on.
			u.claims = merge(append(u.claims, claimSince(fresh.Fingerprint, base.CommittedAt)))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return u, err
}

// search goes through progress records, last first.
type search struct {
	ledger  *Ledger
	base    *Manifest
	fresh   *Progress
	found   unfinished
	damaged bool  // whether a record is
	decided bool  // whether found.progress is what the pass goes on from
	heard   int64 // pass whose uploads are known
}

func (s *search) run(ctx context.Context) error {
	saved, err := savedPasses(ctx, s.ledger.store, s.fresh.Mapping)
	if err != nil {
		return err
	}
	for _, record := range saved {
		switch {
		case record.generation > s.fresh.Generation:
			continue // of a holder that has taken over
		case record.generation <= s.base.Pass:
			return nil // of passes that were committed
		case record.generation == s.fresh.Generation:
			s.found.seq = max(s.found.seq, record.seq)
		}
		if s.decided && record.generation == s.heard {
			continue
		}
		err := s.look(ctx, record)
		if _, isDamage := errors.AsType[*CorruptError](err); isDamage {
			s.damaged = true
			s.ledger.log.Warn("progress was damaged", "mapping", s.fresh.Mapping, "generation", record.generation, "err", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// look reads a record, takes note of the uploads that it is the first of its pass
// to name, and decides whether the next pass goes on from it.
func (s *search) look(ctx context.Context, record savedPass) error {
	p, err := s.ledger.readProgress(ctx, record)
	if err != nil {
		return err
	}
	isSame := p.Fingerprint == s.fresh.Fingerprint
	if record.generation != s.heard {
		s.heard = record.generation
		s.hear(p.Uploads, p.claimed(), isSame)
	}
	if s.decided || !p.goesOn(s.base) {
		return nil
	}
	if !isSame {
		s.decided = true
		s.ledger.log.Info("pass was started over under another fingerprint", "mapping", s.fresh.Mapping, "generation", record.generation)
		return nil
	}
	r := p.Ranges[0]
	for _, a := range append(r.Ahead, Ahead{r.Chunks, r.QuarantineChunks}) {
		if err := s.ledger.verify(ctx, a.Chunks, a.QuarantineChunks); err != nil {
			return err
		}
	}
	s.decided = true
	p.Generation, p.Base, p.Holder = s.fresh.Generation, s.fresh.Base, s.fresh.Holder
	s.found.progress = p
	return nil
}

// hear adds uploads and claims to those found, but for the ones that a later pass has named.
func (s *search) hear(named []Upload, claims []Claim, isSame bool) {
	s.found.claims = merge(append(s.found.claims, claims...))
	for _, u := range named {
		u.Left = u.Left || !isSame && !u.Kept
		if !slices.ContainsFunc(s.found.uploads, func(f Upload) bool { return f.ID == u.ID }) {
			s.found.uploads = append(s.found.uploads, u)
		}
	}
}

// claimed returns the claims of a pass that did not commit. One of a version that made none may have written any key.
func (p *Progress) claimed() []Claim {
	if p.Claims != nil {
		return p.Claims
	}
	return []Claim{claimSince(p.Fingerprint, p.StartedAt)}
}

// claimSince is a claim on every key, from a time by this process's clock.
func claimSince(fingerprint string, at time.Time) Claim {
	return Claim{Fingerprint: fingerprint, Since: at.Add(-skewOfClaims).UTC().Truncate(time.Microsecond)}
}

// skewOfClaims is how far the clock of a process that wrote at the destination may have been ahead of the destination's, which refuses
// requests that are dated otherwise (Amazon S3 API Reference, "Error responses", RequestTimeTooSkewed: 15 minutes).
const skewOfClaims = 15 * time.Minute

// readProgress reads a progress record, but not the chunks it names.
func (l *Ledger) readProgress(ctx context.Context, s savedPass) (p Progress, err error) {
	if err := readRecord(ctx, l.store, s.name, &p); err != nil {
		return Progress{}, err
	}
	if p.Mapping != l.options.Mapping || p.Generation != s.generation || len(p.Ranges) != 1 {
		return Progress{}, &CorruptError{Name: s.name, Problem: fmt.Sprintf("is not of pass %d", s.generation)}
	}
	return p, nil
}
