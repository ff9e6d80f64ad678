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

// Fingerprint identifies the settings of a pass. A pass can be resumed by a pass with the same
// fingerprint.
type Fingerprint struct {
	Settings
	// Replay is the start time of a replay in nanoseconds since 1970, or 0 if the pass is not a
	// replay. No other pass can resume a replay, not even another replay, because the other replay
	// may retry other objects.
	Replay int64
}

// fingerprintForm is the JSON form of a fingerprint. It must not change, because passes compare the
// JSON text.
type fingerprintForm struct {
	Source       placeForm `json:"source"`
	Destination  placeForm `json:"destination"`
	KeyARN       string    `json:"key_arn"`
	StorageClass string    `json:"storage_class"`
	Replay       int64     `json:"replay,omitempty"`
}

// placeForm is the JSON form of a place.
type placeForm struct {
	Endpoint string `json:"endpoint,omitempty"` // the service, "" for AWS; older fingerprints contain the configured URL
	Bucket   string `json:"bucket"`
	Prefix   string `json:"prefix,omitempty"`
}

func formOf(p transfer.Place) placeForm {
	return placeForm{Endpoint: p.Service(), Bucket: p.Identity(), Prefix: p.Prefix}
}

func (p placeForm) place() transfer.Place {
	return transfer.Place{Bucket: p.Bucket, Prefix: p.Prefix}.At(p.Endpoint)
}

// ReadFingerprint parses a fingerprint; ok is false if the text is not a valid fingerprint.
func ReadFingerprint(fingerprint string) (f Fingerprint, ok bool) {
	var form fingerprintForm
	if fingerprint == "" || json.Unmarshal([]byte(fingerprint), &form) != nil {
		return Fingerprint{}, false
	}
	return Fingerprint{Settings{form.Source.place(), form.Destination.place(), form.KeyARN, form.StorageClass}, form.Replay}, true
}

// text returns the fingerprint in the form stored in generations.
func (f Fingerprint) text() string {
	return text(fingerprintForm{formOf(f.Source), formOf(f.Destination), f.KeyARN, f.StorageClass, f.Replay})
}

// OfReplay reports whether a fingerprint belongs to a replay.
func OfReplay(fingerprint string) bool {
	f, ok := ReadFingerprint(fingerprint)
	return ok && f.Replay > 0
}

// maxFormerKeys is the maximum number of former keys in a memo.
const maxFormerKeys = 16

// Memo records since which pass the settings are in force.
type Memo struct {
	PlaceSince int64 `json:"place_since,omitempty"`
	ClassSince int64 `json:"class_since,omitempty"`
	// TargetSince is the number of the first pass that copied each key to its current destination
	// key, from any source bucket.
	TargetSince int64 `json:"target_since,omitempty"`
	// FormerKeys are the KMS keys that were configured before, oldest first.
	FormerKeys []string `json:"former_keys,omitempty"`
}

// ReadMemo parses a memo.
func ReadMemo(memo string) (m Memo, err error) {
	if memo == "" {
		return m, nil
	}
	if err := json.Unmarshal([]byte(memo), &m); err != nil {
		return m, fmt.Errorf("read the memo of the settings: %w", err)
	}
	return m, nil
}

// Texts returns the settings in the form stored in a generation.
func Texts(f Fingerprint, m Memo) record.Settings {
	return record.Settings{Fingerprint: f.text(), Memo: text(m)}
}

// text returns the JSON form of a fingerprint or memo. Encoding them cannot fail.
func text(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// MemoOf reads the memo of a generation.
func MemoOf(s record.Settings) (Memo, error) {
	return ReadMemo(cmp.Or(s.Memo, s.Fingerprint)) // older versions stored the memo in the fingerprint
}

// Generation contains the settings and the memo that a generation of the ledger stores.
type Generation struct {
	Settings
	Memo
	// IsKnown reports whether there is a generation.
	IsKnown bool
}

// ReadGeneration reads the settings of the last generation, which may not exist.
func ReadGeneration(last record.Settings) (g Generation, err error) {
	if last.Fingerprint == "" {
		return g, nil
	}
	f, ok := ReadFingerprint(last.Fingerprint)
	if !ok {
		return g, errors.New("read the settings of the last generation: this version does not know their format")
	}
	g.Settings, g.IsKnown = f.Settings, true
	g.Memo, err = MemoOf(last)
	return g, err
}

// Next returns the memo of the given pass, which uses the settings now and follows generation g.
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
