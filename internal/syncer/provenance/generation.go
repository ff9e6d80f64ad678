package provenance

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"syncd/internal/checkpoint/record"
	"syncd/internal/transfer"
)

// Fingerprint names the settings of a pass: passes of the same fingerprint resume each other.
type Fingerprint struct {
	Settings
	// Replay is when the pass began when it is a replay, in nanoseconds since 1970: no other pass
	// may resume it, not even another replay, which may have been asked for other objects.
	Replay int64
}

// fingerprintForm is the JSON form of a fingerprint. A pass resumes another one of the same text,
// so that it must not change.
type fingerprintForm struct {
	Source       placeForm `json:"source"`
	Destination  placeForm `json:"destination"`
	KeyARN       string    `json:"key_arn"`
	StorageClass string    `json:"storage_class"`
	Replay       int64     `json:"replay,omitempty"`
}

// placeForm is what a fingerprint has of a place.
type placeForm struct {
	Endpoint string `json:"endpoint,omitempty"` // the service, "" for AWS; older fingerprints have its URL as it was configured
	Bucket   string `json:"bucket"`
	Prefix   string `json:"prefix,omitempty"`
}

func formOf(p transfer.Place) placeForm {
	return placeForm{Endpoint: p.Service(), Bucket: p.Identity(), Prefix: p.Prefix}
}

func (p placeForm) place() transfer.Place {
	return transfer.Place{Bucket: p.Bucket, Prefix: p.Prefix}.At(p.Endpoint)
}

// ReadFingerprint reads a fingerprint; ok is false for one that is none of this program's.
func ReadFingerprint(fingerprint string) (f Fingerprint, ok bool) {
	var form fingerprintForm
	if fingerprint == "" || json.Unmarshal([]byte(fingerprint), &form) != nil {
		return Fingerprint{}, false
	}
	return Fingerprint{Settings{form.Source.place(), form.Destination.place(), form.KeyARN, form.StorageClass}, form.Replay}, true
}

// text is the fingerprint as generations carry it.
func (f Fingerprint) text() string {
	return text(fingerprintForm{formOf(f.Source), formOf(f.Destination), f.KeyARN, f.StorageClass, f.Replay})
}

// OfReplay reports whether a fingerprint is that of a replay.
func OfReplay(fingerprint string) bool {
	f, ok := ReadFingerprint(fingerprint)
	return ok && f.Replay > 0
}

// maxFormerKeys is how many former keys a memo holds.
const maxFormerKeys = 16

// Memo is since which pass the settings are in force.
type Memo struct {
	PlaceSince int64 `json:"place_since,omitempty"`
	ClassSince int64 `json:"class_since,omitempty"`
	// TargetSince is the first pass that copied each key to where it is copied today, from
	// wherever.
	TargetSince int64 `json:"target_since,omitempty"`
	// FormerKeys are the KMS keys that were configured before, the last one last.
	FormerKeys []string `json:"former_keys,omitempty"`
}

// ReadMemo reads a memo.
func ReadMemo(memo string) (m Memo, err error) {
	if memo == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(memo), &m); err != nil {
		return m, fmt.Errorf("read since when the settings are in force: %w", err)
	}
	return m, nil
}

// Texts returns what a generation carries.
func Texts(f Fingerprint, m Memo) record.Settings {
	return record.Settings{Fingerprint: f.text(), Memo: text(m)}
}

// text is the form of a fingerprint or of a memo. Strings and numbers always have a form.
func text(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// MemoOf reads the memo that a generation carries.
func MemoOf(s record.Settings) (Memo, error) {
	return ReadMemo(cmp.Or(s.Memo, s.Fingerprint)) // which held it before there were memos
}

// Generation is what a generation was made under.
type Generation struct {
	Settings
	Memo
	// IsKnown says that there is one.
	IsKnown bool
}

// ReadGeneration reads what the last generation was made under; there may be none.
func ReadGeneration(last record.Settings) (g Generation, err error) {
	if last.Fingerprint == "" {
		return g, nil
	}
	f, ok := ReadFingerprint(last.Fingerprint)
	if !ok {
		return g, errors.New("read the settings of the last generation: they are in no form that this version knows")
	}
	g.Settings, g.IsKnown = f.Settings, true
	g.Memo, err = MemoOf(last)
	return g, err
}

// Next returns since when the settings of now are in force for a pass of that number, which follows
// the generation.
func (g Generation) Next(now Settings, pass int64) Memo {
	m := g.Memo
	if g.IsKnown && !now.SameKeys(g.Settings) {
		m.PlaceSince = pass
	}
	if g.IsKnown && !now.sameTargets(g.Settings) {
		m.TargetSince = pass
	}
	if g.IsKnown && now.StorageClass != g.StorageClass {
		m.ClassSince = pass
	}
	isNow := func(key string) bool { return key == now.KeyARN || g.IsKnown && key == g.KeyARN }
	m.FormerKeys = slices.DeleteFunc(slices.Clone(m.FormerKeys), isNow)
	if g.IsKnown && g.KeyARN != now.KeyARN {
		m.FormerKeys = append(m.FormerKeys, g.KeyARN)
	}
	m.FormerKeys = m.FormerKeys[max(0, len(m.FormerKeys)-maxFormerKeys):]
	return m
}
