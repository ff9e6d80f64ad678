package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"slices"

	"syncd/internal/checkpoint/generation"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// unfinished is what uncommitted passes left for the next pass.
type unfinished struct {
	progress record.Progress // to resume from
	seq      int64           // highest sequence number used under the number of the next pass
	uploads  []record.Upload // recorded by any of these passes
	claims   []record.Claim  // claimed by any of these passes
}

// findUnfinished finds the newest intact progress record that can be resumed on base under the
// settings in fresh. If there is none, it returns fresh. It collects the uploads of every pass
// since base, resumed or not, from the last readable record of each.
//
// A holder that was fenced off may still be saving, so a record that was listed may be deleted
// before it is read. The search then starts again.
func findUnfinished(ctx context.Context, in search) (u unfinished, err error) {
	base, fresh := in.base, in.fresh
	for range record.VanishTries {
		s := in
		s.found = unfinished{progress: *fresh}
		// If the search is decided, it has read a progress record that names the uploads and claims
		// of base too.
		if err = s.run(ctx); err == nil && !s.decided {
			s.collect(base.Uploads, base.Claims, true)
		}
		u = s.found
		if base.Generation > 0 && (s.damaged || fresh.Generation > base.Generation+1) {
			// A damaged record does not show which keys its pass claimed, so claim all keys.
			all := record.ClaimSince(fresh.Fingerprint, base.CommittedAt)
			u.claims = record.MergeClaims(append(append(u.claims, all), all.Interrupted(nil, s.chain.Now())...))
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return u, err
}

// search reads progress records, newest first.
type search struct {
	store     store.Store
	chain     *generation.Chain
	log       *slog.Logger
	base      *record.Manifest
	fresh     *record.Progress
	found     unfinished
	damaged   bool  // whether any record is damaged
	decided   bool  // whether it is decided from which record, if any, the next pass resumes
	collected int64 // pass whose uploads were collected last
}

func (s *search) run(ctx context.Context) error {
	saved, err := record.AllSaved(ctx, s.store, s.fresh.Mapping)
	if err != nil {
		return err
	}
	for _, record := range saved {
		switch {
		case record.Generation > s.fresh.Generation:
			continue // written by a later holder, which has taken over the lease
		case record.Generation <= s.base.Pass:
			return nil // this and older passes were committed
		case record.Generation == s.fresh.Generation:
			s.found.seq = max(s.found.seq, record.Seq)
		}
		if s.decided && record.Generation == s.collected {
			continue
		}
		err := s.look(ctx, record)
		if _, isDamage := errors.AsType[*store.CorruptError](err); isDamage {
			s.damaged = true
			s.log.Warn("progress was damaged", "mapping", s.fresh.Mapping, "generation", record.Generation, "err", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// look reads a record and decides whether the next pass resumes from it. If no newer record of the
// same pass is readable, look also collects the record's uploads and claims.
func (s *search) look(ctx context.Context, rec record.Saved) error {
	p, err := record.ReadProgress(ctx, s.store, s.fresh.Mapping, rec)
	if err != nil {
		return err
	}
	isSame := p.Fingerprint == s.fresh.Fingerprint
	if rec.Generation != s.collected {
		s.collected = rec.Generation
		s.collect(p.Uploads, slices.Concat(p.Claims, s.interrupted(p)), isSame)
	}
	if s.decided || !p.Continues(s.base) {
		return nil
	}
	if !isSame {
		s.decided = true
		s.log.Info("pass was started over because the configuration has changed", "mapping", s.fresh.Mapping, "generation", rec.Generation)
		return nil
	}
	if err := s.chain.Verify(ctx, record.ChunksOf(p.Runs, p.QuarantineRuns)); err != nil {
		return err
	}
	s.decided = true
	p.Generation, p.Base, p.Holder = s.fresh.Generation, s.fresh.Base, s.fresh.Holder
	s.found.progress = p
	return nil
}

// interrupted returns claims on the keys that an interrupted pass claimed and had not settled, and on
// those that it was deleting: its requests may take effect after the next pass has looked at these keys.
func (s *search) interrupted(p record.Progress) (open []record.Claim) {
	for _, c := range p.Claims {
		switch {
		case c.Fingerprint != p.Fingerprint:
		case c.Stopped.IsZero():
			open = append(open, c.Interrupted(p.Settled, s.chain.Now())...)
		case !c.Stopped.Before(p.StartedAt):
			open = append(open, c.Interrupted(nil, s.chain.Now())...)
		}
	}
	return open
}

// collect adds claims and uploads to s.found, except uploads that a later pass has named.
func (s *search) collect(named []record.Upload, claims []record.Claim, isSame bool) {
	s.found.claims = record.MergeClaims(append(s.found.claims, claims...))
	for _, u := range named {
		u.Left = u.Left || !isSame && !u.Kept
		if !slices.ContainsFunc(s.found.uploads, func(f record.Upload) bool { return f.ID == u.ID }) {
			s.found.uploads = append(s.found.uploads, u)
		}
	}
}
