package planner

import (
	"slices"
	"strings"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer/provenance"
)

// claimReader interprets claims: it finds what earlier passes, possibly under other settings, may
// have written to the mapping's current destination.
type claimReader struct{ provenance.Mapping }

// claimed returns a func that returns which of the claims cover a source key, combined into one
// plan.Claimed. Claims made under other settings are matched by the destination key. The returned
// func is nil if no claim concerns the mapping's destination.
func (r claimReader) claimed(claims []record.Claim) func(key string) plan.Claimed {
	s := r.Settings
	type claim struct {
		record.Claim
		by provenance.Settings
	}
	var here []claim
	for _, c := range claims {
		if by, ok := r.claimsHere(c); ok {
			here = append(here, claim{c, by})
		}
	}
	if len(here) == 0 {
		return nil
	}
	return func(key string) (all plan.Claimed) {
		at := s.DestinationKey(key)
		for _, c := range here {
			former, ok := c.by.SourceKey(at)
			if !ok || !c.Covers(former) || isBelow(at, c.Settled) {
				continue
			}
			if c.Deletes {
				all.Deleted = true
				continue
			}
			all.Proved = c.Proved && (all.Proved || all.Since.IsZero())
			all.Since = record.Earlier(all.Since, c.Since)
			all.Planned = all.Planned || c.Copies.Contains(former)
			if c.by.KeyARN != s.KeyARN {
				all.OtherKeys = append(all.OtherKeys, c.by.KeyARN)
			}
		}
		return all
	}
}

// claimedRange returns the smallest range of destination keys that contains all claimed keys in the
// range here. The result ok is false if there are none.
func (r claimReader) claimedRange(claims []record.Claim, here listing.Range) (all listing.Range, ok bool) {
	for _, c := range claims {
		by, isHere := r.claimsHere(c)
		if !isHere || c.Deletes {
			continue
		}
		at := func(key string) string {
			if key == "" {
				return ""
			}
			return by.DestinationKey(key)
		}
		both, isHere := record.Range{After: at(c.After), Until: at(c.Until)}.Overlap(record.Range(here))
		if !isHere {
			continue
		}
		if ok {
			both = both.Span(record.Range(all))
		}
		all, ok = listing.Range(both), true
	}
	return all, ok
}

// claimsHere returns the settings under which claim c was made. ok is false if the claim does not
// concern the mapping's destination.
func (r claimReader) claimsHere(c record.Claim) (by provenance.Settings, ok bool) {
	id, ok := provenance.ReadFingerprint(c.Fingerprint)
	here := r.Settings.Destination
	return id.Settings, ok && here.Overlaps(id.Destination) && !isBelow(here.Prefix, c.Settled)
}

// isBelow reports whether the key or prefix begins with one of the prefixes.
func isBelow(key string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// mayHaveLeft reports whether unrecorded copies may exist for any of the claims.
func (r claimReader) mayHaveLeft(claims []record.Claim) bool {
	return slices.ContainsFunc(claims, func(c record.Claim) bool {
		_, isHere := r.claimsHere(c)
		return isHere && !c.Proved && !c.Deletes
	})
}

// left returns the part of a claim that still applies after a pass that settled everything in the
// mapping's destination; ok is false if no part applies. If the destination listing was denied
// (isHidden), objects without a ledger entry were not found, so the claim remains.
func (r claimReader) left(c record.Claim, isHidden bool) (rest record.Claim, ok bool) {
	by, isHere := r.claimsHere(c)
	switch here := r.Settings.Destination; {
	case !isHere:
		return c, true
	case c.Proved || isHidden && !c.Deletes:
		c.Proved, c.Stopped = true, time.Time{} // unrecorded objects are never found, however late they were written
		return c, true
	case here.Contains(by.Destination.Prefix):
		return c, false
	default:
		c.Settled = append(slices.Clone(c.Settled), here.Prefix)
		return c, true
	}
}
