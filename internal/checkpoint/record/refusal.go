package record

import (
	"encoding/json"
	"time"
)

// Refusal is why a pass ended early: everything it tried to copy, in one place after another, was
// refused. This single record takes the place of a quarantine row for each object. The pass that
// resumes this one tries a few keys before it lists anything.
type Refusal struct {
	Reason   string    `json:"reason"`    // a reason as in Quarantined
	Detail   string    `json:"detail"`    // sentence for operators, without secrets
	Since    time.Time `json:"since"`     // when the first of the consecutive refused passes ended
	WalkedAt time.Time `json:"walked_at"` // when the source was last listed and everything was refused
	After    []string  `json:"after"`     // keys at the source, each just before one that was refused
}

// MarshalJSON encodes the keys so that bytes that are not valid UTF-8 survive.
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
