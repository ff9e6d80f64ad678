package checkpoint

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"syncd/internal/checkpoint/record"
)

// TestClaimsOfSettledKeysAreFew makes many claims in 16 ranges, whose keys are settled a little later.
// It checks that the claims in memory stay few, that every claimed key stays claimed, and that no
// claim becomes younger.
func TestClaimsOfSettledKeysAreFew(t *testing.T) {
	const ranges, rounds, open = 16, 200, 5
	key := func(r, n int) string { return fmt.Sprintf("%02d/%06d", r, n) }
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var c claims
	var settled record.Ranges
	for n := range rounds {
		var made []record.Claim
		for r := range ranges {
			made = append(made, record.Claim{Fingerprint: "f", After: key(r, n), Until: key(r, n+1), Since: began.Add(time.Duration(n) * time.Second)})
			if n > open {
				settled = settled.Add(record.Range{After: key(r, 0), Until: key(r, n-open)})
			}
		}
		c.add(made)
		named := c.all(settled, "f")
		if most := ranges * (open + 2); len(c.own) > most || len(named) > most {
			t.Fatalf("round %d: got %d claims in memory and %d named, want at most %d", n, len(c.own), len(named), most)
		}
		for _, at := range []int{0, n / 2, max(0, n-open), n} {
			of := func(c record.Claim) bool {
				return c.Covers(key(n%ranges, at)+"x") && !c.Since.After(began.Add(time.Duration(at)*time.Second))
			}
			if !slices.ContainsFunc(named, of) || !slices.ContainsFunc(c.own, of) {
				t.Fatalf("round %d: the keys of round %d are not claimed since then: %+v", n, at, named)
			}
		}
	}
}
