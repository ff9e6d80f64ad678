package record

import (
	"encoding/json"
	"time"
)

// Refusal is why a pass ended before its end: all that it tried to copy was refused, in one place
// after another. It is the one record of that, in the place of a row of quarantine for each object.
// The pass that resumes this one tries a few keys before it lists anything.
type Refusal struct {
	Reason   string    `json:"reason"`    // as of an object in quarantine
	Detail   string    `json:"detail"`    // sentence for people, free of secrets
	Since    time.Time `json:"since"`     // when a pass ended so for the first time in turn
	WalkedAt time.Time `json:"walked_at"` // when the source was last listed and found to be refused
	After    []string  `json:"after"`     // keys at the source, each before one that was refused
}

// MarshalJSON writes the keys in a form that carries bytes that are not UTF-8.
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
