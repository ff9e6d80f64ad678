package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
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

// findProgress returns the last progress record that base can be gone on from as
// the pass that fresh describes, or fresh when there is none that is whole, and
// the highest sequence number that this pass has taken.
//
// A holder that was fenced off may still be saving, so that a record that was
// listed is deleted before it is read.
func (l *Ledger) findProgress(ctx context.Context, base Manifest, fresh Progress) (found Progress, seq int64, err error) {
	for range vanishTries {
		found, seq, err = l.findProgressOnce(ctx, &base, fresh)
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return found, seq, err
}

func (l *Ledger) findProgressOnce(ctx context.Context, base *Manifest, fresh Progress) (found Progress, seq int64, err error) {
	saved, err := savedPasses(ctx, l.store, fresh.Mapping)
	if err != nil {
		return fresh, 0, err
	}
	for _, s := range saved {
		if s.generation == fresh.Generation {
			seq = max(seq, s.seq)
		}
		if s.generation > fresh.Generation {
			continue
		}
		found, err := l.readProgress(ctx, s, base)
		if _, isDamage := errors.AsType[*CorruptError](err); isDamage {
			l.log.Warn("progress was damaged", "mapping", fresh.Mapping, "generation", s.generation, "err", err)
			continue
		}
		switch {
		case err != nil:
			return fresh, 0, err
		case !found.goesOn(base):
			continue
		case found.Fingerprint != fresh.Fingerprint:
			l.log.Info("pass was begun anew under another fingerprint", "mapping", fresh.Mapping, "generation", s.generation)
			return fresh, seq, nil
		}
		found.Generation, found.Base, found.Holder = fresh.Generation, fresh.Base, fresh.Holder
		return found, seq, nil
	}
	return fresh, seq, nil
}

// readProgress reads a progress record and, when base can be gone on from it,
// every chunk it names.
func (l *Ledger) readProgress(ctx context.Context, s savedPass, base *Manifest) (p Progress, err error) {
	if err := readRecord(ctx, l.store, s.name, &p); err != nil {
		return Progress{}, err
	}
	if p.Mapping != l.options.Mapping || p.Generation != s.generation || len(p.Ranges) != 1 {
		return Progress{}, &CorruptError{Name: s.name, Problem: fmt.Sprintf("is not of pass %d", s.generation)}
	}
	if !p.goesOn(base) {
		return p, nil
	}
	r := p.Ranges[0]
	return p, l.verify(ctx, r.Chunks, r.QuarantineChunks)
}
