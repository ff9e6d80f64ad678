package checkpoint

import (
	"slices"

	"syncd/internal/checkpoint/record"
)

// claims are the claims of a pass. The caller holds unsaved.mu.
type claims struct {
	inherited []record.Claim // of earlier processes and of passes under other settings
	taken     []record.Claim // from another ledger, for the next pass
	own       []record.Claim // of this pass, made by this process
	version   int64          // increases with every claim that this process makes
	saved     int64          // version in the last progress record
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
	return joined(record.MergeClaims(slices.Concat(c.inherited, c.own)), settled, fingerprint)
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
		since.After, since.Until = keys.After, keys.Until
		named = append(named, since)
	}
	return append(named, unsettled...)
}
