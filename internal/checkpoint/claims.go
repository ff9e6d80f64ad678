package checkpoint

import (
	"slices"
	"time"

	"syncd/internal/checkpoint/record"
)

// claims are the claims of a pass. The caller holds unsaved.mu.
type claims struct {
	inherited []record.Claim // of earlier processes and of passes under other settings
	taken     []record.Claim // from another ledger, for the next pass
	own       []record.Claim // of this pass, made by this process
	version   int64          // increases with every claim that this process makes
	saved     int64          // version in the last progress record
	// unanswered are the claims on keys whose deletes were sent and whose results are not known, by the
	// version in which they were added. The results for the claims answered are known, but are not
	// committed.
	unanswered map[int64][]record.Claim
	answered   []record.Claim
}

// addUnanswered adds claims on ranges of keys for deletes that are sent from now on, and returns the
// version of the claims that must be saved first.
func (c *claims) addUnanswered(fingerprint string, keys []record.Range, now time.Time) (version int64) {
	c.version++
	if c.unanswered == nil {
		c.unanswered = map[int64][]record.Claim{}
	}
	for _, r := range keys {
		c.unanswered[c.version] = append(c.unanswered[c.version], record.Claim{Fingerprint: fingerprint, After: r.After, Until: r.Until, Since: now, Stopped: now, Deletes: true})
	}
	return c.version
}

// answer records that the results for the claims that were added in a version are known.
func (c *claims) answer(version int64) {
	c.answered = record.MergeClaims(slices.Concat(c.answered, c.unanswered[version]))
	delete(c.unanswered, version)
}

// late returns the claims on keys whose deletes may take effect after the pass.
func (c *claims) late() (all []record.Claim) {
	for _, claims := range c.unanswered {
		all = append(all, claims...)
	}
	return all
}

// add adds claims of this process.
func (c *claims) add(made []record.Claim) {
	c.own = record.MergeClaims(append(c.own, made...))
	c.version++
}

// all returns the claims that a progress record must name that names the settled keys. Settled keys
// stay claimed until the pass commits, because a pass under other settings does not resume this
// one. Claims whose keys are all settled are merged, also those of this process in c.own, because a
// pass over many keys makes too many claims to keep them apart.
func (c *claims) all(settled record.Ranges, fingerprint string) []record.Claim {
	c.own = joined(c.own, settled, fingerprint)
	return joined(record.MergeClaims(slices.Concat(c.inherited, c.own, c.late(), c.answered)), settled, fingerprint)
}

// joined returns the claims, of which those whose keys are all settled are merged.
func joined(all []record.Claim, settled record.Ranges, fingerprint string) []record.Claim {
	unsettled := []record.Claim{}
	var merged record.Ranges
	var since record.Claim
	for _, claim := range all {
		keys := claim.Keys()
		if !claim.IsPlain(fingerprint) || !settled.Includes(keys) {
			unsettled = append(unsettled, claim)
			continue
		}
		if len(merged) == 0 {
			since = claim
		}
		since.Since = record.Earliest(since.Since, claim.Since)
		merged = merged.Add(keys)
	}
	named := []record.Claim{}
	for _, keys := range merged {
		since.After, since.Until, since.Copies = keys.After, keys.Until, nil
		named = append(named, since)
	}
	return append(named, unsettled...)
}
