package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"syncd/internal/checkpoint/store"
)

// Progress records how far a pass that is not committed yet has come.
type Progress struct {
	Version    int    `json:"version"`
	Mapping    string `json:"mapping"`
	Generation int64  `json:"generation"` // the pass's number, and the generation it will commit
	Base       int64  `json:"base"`       // generation that the pass started from, 0 for none
	Holder     string `json:"holder"`
	Settings
	StartedAt time.Time `json:"started_at"`
	SavedAt   time.Time `json:"saved_at"`
	// Settled contains the keys that the pass has settled. The pass must still list the other keys.
	Settled Ranges `json:"settled"`
	Counts  Counts `json:"counts"` // of the settled keys
	// Runs and QuarantineRuns have the rows that the pass has written, oldest first, including rows
	// of keys that are not in Settled. They are newer than the runs of the base generation. A key
	// without a row keeps the rows of the base generation.
	Runs           []Run `json:"runs"`
	QuarantineRuns []Run `json:"quarantine_runs"`
	// Entries and Quarantined are the numbers of keys that have an entry or are in quarantine,
	// according to the runs of the base generation and of the pass.
	Entries     int64    `json:"entries"`
	Quarantined int64    `json:"quarantined"`
	Uploads     []Upload `json:"uploads,omitempty"` // multipart uploads not known to have ended, ascending by key
	Claims      []Claim  `json:"claims"`            // keys that may have been written at the destination
	Refusal     *Refusal `json:"refusal,omitempty"` // why the pass ended, if everything was refused
}

// ReadProgress reads the progress record with the given name and number. If the record does not
// belong to that pass of the mapping, the error is a *store.CorruptError.
func ReadProgress(ctx context.Context, from store.Store, mapping string, saved Saved) (p Progress, err error) {
	if err := store.ReadSealed(ctx, from, saved.Name, &p); err != nil {
		return Progress{}, err
	}
	if p.Mapping != mapping || p.Generation != saved.Generation {
		return Progress{}, &store.CorruptError{Name: saved.Name, Problem: fmt.Sprintf("does not belong to pass %d", saved.Generation)}
	}
	if err := p.Settled.check(); err != nil {
		return Progress{}, &store.CorruptError{Name: saved.Name, Problem: "has invalid ranges", Err: err}
	}
	return p, nil
}

// Saved is the name of a progress record, and the generation and sequence number in that name.
type Saved struct {
	Name            string
	Generation, Seq int64
}

// AllSaved lists a mapping's progress records, newest first: by pass number, then by sequence
// number.
func AllSaved(ctx context.Context, store store.Store, mapping string) (saved []Saved, err error) {
	names, err := store.List(ctx, mapping+"/"+ProgressPrefix)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Backward(names) {
		if generation, seq, ok := NumbersIn(name, ProgressPrefix, Suffix); ok {
			saved = append(saved, Saved{name, generation, seq})
		}
	}
	return saved, nil
}

// Continues reports whether a saved pass can be resumed on base, because it started from that
// generation or from a generation with the same content.
func (p *Progress) Continues(base *Manifest) bool {
	return p.Generation > base.StartedOver && (p.Base == base.Generation || slices.Contains(base.Repeats, p.Base))
}

// Unfinished returns the progress that a pass has saved since the last generation. It does not need
// the lease. The result ok is false if no pass has saved progress since then, or if the progress
// record is damaged.
func Unfinished(ctx context.Context, from store.Store, mapping string) (progress Progress, ok bool, err error) {
	base, err := Newest(ctx, from, mapping)
	if err != nil && !errors.Is(err, ErrNoCheckpoint) {
		return Progress{}, false, err
	}
	saved, err := AllSaved(ctx, from, mapping)
	if err != nil {
		return Progress{}, false, err
	}
	for _, s := range saved {
		progress, err := ReadProgress(ctx, from, mapping, s)
		if _, isDamage := errors.AsType[*store.CorruptError](err); isDamage || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Progress{}, false, err
		}
		if progress.Continues(&base) {
			return progress, true, nil
		}
	}
	return Progress{}, false, nil
}
