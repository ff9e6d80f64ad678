package record

import (
	"encoding/json"
	"slices"
	"time"
)

// Claim states that a pass may have written copies of the keys in (After, Until]. It is saved
// before the first of these keys is written. If a later process finds an object under one of the
// keys, the claim shows that syncd may have written the object. This holds even if the pass was
// killed before it could save, or was dropped because the settings changed.
type Claim struct {
	Fingerprint string    `json:"fingerprint"` // identifies the settings of the pass, which include the destination and the KMS key
	After       string    `json:"after"`       // key at the source; exclusive, "" from the first key
	Until       string    `json:"until"`       // key at the source; inclusive, "" to the last key
	Since       time.Time `json:"since"`       // time before which nothing was written, by the destination's clock if known
	// Settled lists the destination prefixes under which passes have settled every key that the
	// claim covers.
	Settled []string `json:"settled,omitempty"`
	// Proved means that the entries of the ledger are correct in spite of the claim: the pass can
	// only have written objects that have no entry.
	Proved bool `json:"proved,omitempty"`
	// Stopped is set if the claim covers keys that a pass had not settled when it was interrupted.
	// It is the time at which a later process found the interrupted pass, by that process's clock.
	// Requests that were sent before this time can still take effect, see MayLand.
	Stopped time.Time `json:"stopped,omitzero"`
	// Deletes means that the pass may have deleted copies of the claimed keys, and has written none. The
	// claim makes entries doubtful, but never shows that syncd wrote an object.
	Deletes bool `json:"deletes,omitempty"`
	// Copies are the keys that the pass was about to copy when it made the claim. It is empty once all
	// claimed keys are settled. An object under another key of the claim is not syncd's.
	Copies Hashes `json:"copies,omitempty"`
}

// landing is how long after the interruption of a pass its requests can still take effect. A
// destination rejects requests that were signed more than skewOfClaims ago, by a clock that can be
// ahead by as much.
const landing = 2 * skewOfClaims

// MayLand reports whether an interrupted pass may have written the claimed keys after a later pass,
// which began at the given time, looked at them. Such a claim outlives the commit of the later pass.
func (c Claim) MayLand(began time.Time) bool {
	return !c.Stopped.IsZero() && began.Before(c.Stopped.Add(landing))
}

// Interrupted returns a claim, with the given time in Stopped, for each range of the claimed keys that
// the interrupted pass had not settled.
func (c Claim) Interrupted(settled Ranges, at time.Time) (open []Claim) {
	keys := c.Keys()
	c.Stopped = at.UTC().Truncate(time.Microsecond)
	for _, gap := range settled.Gaps() {
		if r, ok := keys.Overlap(gap); ok {
			c.After, c.Until = r.After, r.Until
			open = append(open, c)
		}
	}
	return open
}

// MergeClaims drops claims that another claim includes. There can be many, because a process that
// is killed repeatedly makes the same claims each time. If more than mostClaims claims remain,
// MergeClaims merges claims that overlap, and if more than mostStopped remain, also claims with Stopped
// that do not overlap. A merged claim has the earliest Since of its parts.
func MergeClaims(all []Claim) (merged []Claim) {
	for _, c := range all {
		if i := slices.IndexFunc(merged, func(m Claim) bool { return m.includes(c) }); i >= 0 {
			merged[i].Copies = merged[i].Copies.with(c.Copies)
			continue
		}
		merged = append(slices.DeleteFunc(merged, func(m Claim) bool {
			if !c.includes(m) {
				return false
			}
			c.Copies = c.Copies.with(m.Copies)
			return true
		}), c)
	}
	if len(merged) <= mostClaims {
		return merged
	}
	if merged = joinAll(merged, Claim.overlaps); len(merged) > mostStopped {
		merged = joinAll(merged, func(c, o Claim) bool { return c.overlaps(o) || !c.Stopped.IsZero() })
	}
	return merged
}

// joinAll merges each two claims of one fingerprint and kind for which fits returns true.
func joinAll(all []Claim, fits func(c, o Claim) bool) (fewer []Claim) {
	for _, c := range all {
		for i := 0; i < len(fewer); i++ {
			if m := fewer[i]; m.Fingerprint == c.Fingerprint && m.Deletes == c.Deletes && m.Stopped.IsZero() == c.Stopped.IsZero() && fits(m, c) {
				c, fewer = m.with(c), slices.Delete(fewer, i, i+1)
				i = -1 // start again: the larger claim may fit other claims
			}
		}
		fewer = append(fewer, c)
	}
	return fewer
}

// mostClaims is the number of claims above which overlapping claims are merged. A pass that is killed
// again and again leaves claims with Stopped on other keys each time, which do not overlap; above
// mostStopped they are merged into one claim on all keys in between, which costs more checks.
const (
	mostClaims  = 16
	mostStopped = 256
)

// includes reports whether c covers everything that o covers.
func (c Claim) includes(o Claim) bool {
	return c.Fingerprint == o.Fingerprint && c.Deletes == o.Deletes && (o.Proved || !c.Proved) && c.Keys().includes(o.Keys()) &&
		c.Stopped.IsZero() == o.Stopped.IsZero() && !c.Stopped.Before(o.Stopped) &&
		!c.Since.After(o.Since) && !slices.ContainsFunc(c.Settled, func(prefix string) bool { return !slices.Contains(o.Settled, prefix) })
}

func (c Claim) overlaps(o Claim) bool {
	_, ok := c.Keys().Overlap(o.Keys())
	return ok
}

// with returns a claim that includes both claims and all keys between them.
func (c Claim) with(o Claim) Claim {
	keys := c.Keys().Span(o.Keys())
	c.After, c.Until = keys.After, keys.Until
	c.Since, c.Proved = Earliest(c.Since, o.Since), c.Proved && o.Proved
	c.Copies = c.Copies.with(o.Copies)
	if o.Stopped.After(c.Stopped) {
		c.Stopped = o.Stopped
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

// Covers reports whether the claim covers key, an object key at the source in the claim's settings.
func (c Claim) Covers(key string) bool { return c.Keys().Contains(key) }

// Keys returns the range of keys that the claim covers.
func (c Claim) Keys() Range { return Range{c.After, c.Until} }

// IsPlain reports whether the claim is as a pass with this fingerprint made it: no later pass has
// restricted it, or made it from another claim.
func (c Claim) IsPlain(fingerprint string) bool {
	return c.Fingerprint == fingerprint && !c.Proved && c.Stopped.IsZero() && len(c.Settled) == 0
}

// CoversAll reports whether the claim covers every key of r.
func (c Claim) CoversAll(r Range) bool { return c.Keys().includes(r) }

// MarshalJSON encodes the claim. Keys are escaped, so that bytes that are not valid UTF-8 are
// preserved.
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

// ClaimSince returns a claim on every key. Its Since is at, a time by this process's clock, minus
// the largest possible clock skew.
func ClaimSince(fingerprint string, at time.Time) Claim {
	return Claim{Fingerprint: fingerprint, Since: at.Add(-skewOfClaims).UTC().Truncate(time.Microsecond)}
}

// skewOfClaims is how far the clock of a process that wrote at the destination can be ahead. The
// destination rejects requests with a larger clock skew (Amazon S3 API Reference, "Error
// responses", RequestTimeTooSkewed: 15 minutes).
const skewOfClaims = 15 * time.Minute
