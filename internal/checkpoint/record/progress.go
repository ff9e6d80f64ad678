package record

import (
	"context"
	"encoding/json"
	"errors"
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
	Ranges    []Range   `json:"ranges"`            // ascending; this version writes one range
	Uploads   []Upload  `json:"uploads,omitempty"` // multipart uploads not known to have ended, ascending by key
	Claims    []Claim   `json:"claims"`            // keys that may have been written at the destination; nil in records of versions without claims
	Refusal   *Refusal  `json:"refusal,omitempty"` // why the pass ended, if everything was refused
}

// Range is a half-open interval of keys, and how far the pass has walked it. Every key in (After,
// Mark] is settled. The settled entries are those in Chunks and, above CarriedAfter, the unchanged
// entries of the base generation. Ahead has the settled keys above Mark.
type Range struct {
	After            string  `json:"after"` // exclusive, "" from the first key
	Mark             string  `json:"mark"`  // inclusive
	CarriedAfter     string  `json:"carried_after"`
	Counts           Counts  `json:"counts"`
	Chunks           []Chunk `json:"chunks"`
	QuarantineChunks []Chunk `json:"quarantine_chunks"`
	Ahead            []Ahead `json:"ahead,omitempty"`
}

// Ahead lists the chunks that one save wrote for keys above the mark: entries and quarantine rows.
// If several saves have a row for a key, the row of the latest save counts. Rows with keys at or
// below the mark are ignored.
type Ahead struct {
	Chunks           []Chunk `json:"chunks,omitempty"`
	QuarantineChunks []Chunk `json:"quarantine_chunks,omitempty"`
}

// LastKey returns the highest key of any row, or "" if there is none.
func (a Ahead) LastKey() (last string) {
	for _, c := range slices.Concat(a.Chunks, a.QuarantineChunks) {
		last = max(last, c.LastKey)
	}
	return last
}

// MarshalJSON encodes the range. Keys are escaped, so that bytes that are not valid UTF-8 are
// preserved.
func (r Range) MarshalJSON() ([]byte, error) {
	type plain Range
	return json.Marshal(struct {
		plain
		After        keyText `json:"after"`
		Mark         keyText `json:"mark"`
		CarriedAfter keyText `json:"carried_after"`
	}{plain(r), keyText(r.After), keyText(r.Mark), keyText(r.CarriedAfter)})
}

// UnmarshalJSON reverses MarshalJSON.
func (r *Range) UnmarshalJSON(data []byte) error {
	type plain Range
	var in struct {
		plain
		After        keyText `json:"after"`
		Mark         keyText `json:"mark"`
		CarriedAfter keyText `json:"carried_after"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*r = Range(in.plain)
	r.After, r.Mark, r.CarriedAfter = string(in.After), string(in.Mark), string(in.CarriedAfter)
	return nil
}

// Claimed returns the claims of an uncommitted pass. If the pass ran in a version of syncd without
// claims, it returns a claim on every key.
func (p *Progress) Claimed() []Claim {
	if p.Claims != nil {
		return p.Claims
	}
	return []Claim{ClaimSince(p.Fingerprint, p.StartedAt)}
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
		progress = Progress{}
		err := store.ReadSealed(ctx, from, s.Name, &progress)
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
