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
}

// all returns the claims that a progress record must name once every key up to mark is settled.
// Settled keys stay claimed until the pass commits, because a pass under other settings does not
// resume this one. All settled claims are merged into one.
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
