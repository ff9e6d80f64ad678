package record

import (
	"encoding/json"
	"slices"
	"time"
)

// Claim says that a pass may have written copies of the keys in (After, Until]. It is durable
// before the first of them is written, so that a process that meets an object there knows that it
// may be syncd's own, whatever became of the pass: killed before it could save, or given up for
// other settings.
type Claim struct {
	Fingerprint string    `json:"fingerprint"` // of the settings under which it was made: they say where, and under which key
	After       string    `json:"after"`       // key at the source; exclusive, "" from the first key
	Until       string    `json:"until"`       // key at the source; inclusive, "" to the last key
	Since       time.Time `json:"since"`       // by the destination's clock, as far as known: nothing was written earlier
	// Settled are the prefixes at the destination below which passes have settled all that the
	// claim is on.
	Settled []string `json:"settled,omitempty"`
	// Proved says that the entries of the ledger are right all the same: only what no entry names
	// may be left.
	Proved bool `json:"proved,omitempty"`
}

// MergeClaims leaves out the claims that others say all of: processes that are killed again and
// again claim the same keys again and again. Of more than mostClaims it makes one of those that
// overlap, as old as the oldest.
func MergeClaims(all []Claim) (merged []Claim) {
	for _, c := range all {
		isSaid := func(m Claim) bool { return m.says(c) }
		if slices.ContainsFunc(merged, isSaid) {
			continue
		}
		merged = append(slices.DeleteFunc(merged, func(m Claim) bool { return c.says(m) }), c)
	}
	if len(merged) <= mostClaims {
		return merged
	}
	var fewer []Claim
	for _, c := range merged {
		for i := 0; i < len(fewer); i++ {
			if m := fewer[i]; m.Fingerprint == c.Fingerprint && m.overlaps(c) {
				c, fewer = m.with(c), slices.Delete(fewer, i, i+1)
				i = -1 // the larger one may overlap others
			}
		}
		fewer = append(fewer, c)
	}
	return fewer
}

// mostClaims is how many claims are kept apart.
const mostClaims = 16

// says reports whether the claim says all that another one does.
func (c Claim) says(o Claim) bool {
	return c.Fingerprint == o.Fingerprint && (o.Proved || !c.Proved) && c.After <= o.After && (c.Until == "" || o.Until != "" && o.Until <= c.Until) &&
		!c.Since.After(o.Since) && !slices.ContainsFunc(c.Settled, func(prefix string) bool { return !slices.Contains(o.Settled, prefix) })
}

func (c Claim) overlaps(o Claim) bool {
	return (c.Until == "" || o.After < c.Until) && (o.Until == "" || c.After < o.Until)
}

// with is a claim that says what both say, of all the keys between them too.
func (c Claim) with(o Claim) Claim {
	c.After, c.Since, c.Proved = min(c.After, o.After), Earliest(c.Since, o.Since), c.Proved && o.Proved
	if c.Until != "" && o.Until != "" {
		c.Until = max(c.Until, o.Until)
	} else {
		c.Until = ""
	}
	c.Settled = slices.DeleteFunc(slices.Clone(c.Settled), func(prefix string) bool { return !slices.Contains(o.Settled, prefix) })
	return c
}

// Earliest returns the earlier of two times.
func Earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Covers reports whether the claim is on the key, which is one at the source of the claim's
// settings.
func (c Claim) Covers(key string) bool { return key > c.After && (c.Until == "" || key <= c.Until) }

// MarshalJSON writes the keys in a form that carries bytes that are not UTF-8.
func (c Claim) MarshalJSON() ([]byte, error) {
	type plain Claim
	return json.Marshal(struct {
		plain
		After keyText `json:"after"`
		Until keyText `json:"until"`
	}{plain(c), keyText(c.After), keyText(c.Until)})
}

// UnmarshalJSON reverses MarshalJSON.
func (c *Claim) UnmarshalJSON(data []byte) error {
	type plain Claim
	var in struct {
		plain
		After keyText `json:"after"`
		Until keyText `json:"until"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*c = Claim(in.plain)
	c.After, c.Until = string(in.After), string(in.Until)
	return nil
}

// ClaimSince is a claim on every key, from a time by this process's clock.
func ClaimSince(fingerprint string, at time.Time) Claim {
	return Claim{Fingerprint: fingerprint, Since: at.Add(-skewOfClaims).UTC().Truncate(time.Microsecond)}
}

// skewOfClaims is how far the clock of a process that wrote at the destination may have been ahead
// of the destination's, which refuses requests that are dated otherwise (Amazon S3 API Reference,
// "Error responses", RequestTimeTooSkewed: 15 minutes).
const skewOfClaims = 15 * time.Minute
