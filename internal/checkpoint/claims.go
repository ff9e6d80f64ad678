package checkpoint

import (
	"slices"

	"syncd/internal/checkpoint/record"
)

// claims are the claims of a pass. They are used under unsaved.mu.
type claims struct {
	inherited []record.Claim // of earlier processes and of passes under other settings
	taken     []record.Claim // over from another ledger, for the next pass
	own       []record.Claim // of this process
}

// all returns what a progress record has to name once every key up to mark is settled. What is
// settled stays claimed until the pass commits: one under other settings does not resume it. It
// takes one claim.
func (c *claims) all(mark, fingerprint string) (named []record.Claim) {
	var settled *record.Claim
	for _, claim := range record.MergeClaims(slices.Concat(c.inherited, c.own)) {
		switch {
		case claim.Fingerprint != fingerprint || claim.Until == "" || claim.Until > mark:
			named = append(named, claim)
		case settled == nil:
			settled = &claim
		default:
			settled.After, settled.Until = min(settled.After, claim.After), max(settled.Until, claim.Until)
			settled.Since = record.Earliest(settled.Since, claim.Since)
		}
	}
	if settled != nil {
		named = append([]record.Claim{*settled}, named...)
	}
	return named
}
