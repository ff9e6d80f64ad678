package record

import (
	"encoding/json"
	"time"
)

// Refusal records why a pass ended early: every object that it tried to copy, in several parts of
// the key order, was refused. One Refusal replaces the quarantine rows of all these objects. The
// resumed pass first tries a few keys, before it lists the source.
type Refusal struct {
	Reason   string    `json:"reason"`    // same values as Quarantined.Reason
	Detail   string    `json:"detail"`    // sentence for operators, without secrets
	Since    time.Time `json:"since"`     // when the first of the consecutive refused passes ended
	WalkedAt time.Time `json:"walked_at"` // when the source was last listed while everything was refused
	After    []string  `json:"after"`     // keys at the source, each just before a refused key
}

// MarshalJSON encodes the refusal. Keys are escaped, so that bytes that are not valid UTF-8 are
// preserved.
func (r Refusal) MarshalJSON() ([]byte, error) {
	type plain Refusal
	after := make([]keyText, len(r.After))
	for i, key := range r.After {
		after[i] = keyText(key)
	}
	return json.Marshal(struct {
		plain
		After []keyText `json:"after"`
	}{plain(r), after})
}

// UnmarshalJSON reverses MarshalJSON.
func (r *Refusal) UnmarshalJSON(data []byte) error {
	type plain Refusal
	var in struct {
		plain
		After []keyText `json:"after"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*r = Refusal(in.plain)
	r.After = nil
	for _, key := range in.After {
		r.After = append(r.After, string(key))
	}
	return nil
}
