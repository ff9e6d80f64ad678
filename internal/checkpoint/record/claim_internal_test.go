package record

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestMergeKeepsAllClaims merges random claims. It checks that every key stays claimed since the
// same time or an earlier time, and that no additional keys are claimed unless there are more than
// mostClaims claims.
func TestMergeKeepsAllClaims(t *testing.T) {
	letter := rapid.StringMatching("[a-h]|")
	claim := rapid.Custom(func(t *rapid.T) Claim {
		c := Claim{
			Fingerprint: rapid.SampledFrom([]string{"one", "two"}).Draw(t, "fingerprint"),
			After:       letter.Draw(t, "after"), Until: letter.Draw(t, "until"),
			Since:  time.Unix(int64(rapid.IntRange(1, 9).Draw(t, "since")), 0),
			Proved: rapid.Bool().Draw(t, "proved"),
		}
		if rapid.Bool().Draw(t, "settled") {
			c.Settled = []string{"b"}
		}
		return c
	})
	// said returns the time since which a key is claimed, and the time since which its entry is
	// doubtful. The time is zero if the key is not claimed or its entry is not doubtful.
	said := func(claims []Claim, fingerprint, key string) (since, doubt time.Time) {
		for _, c := range claims {
			isSettled := len(c.Settled) > 0 && strings.HasPrefix(key, "b")
			if c.Fingerprint != fingerprint || !c.Covers(key) || isSettled {
				continue
			}
			if since.IsZero() || c.Since.Before(since) {
				since = c.Since
			}
			if !c.Proved && (doubt.IsZero() || c.Since.Before(doubt)) {
				doubt = c.Since
			}
		}
		return since, doubt
	}
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(claim, 0, 40).Draw(t, "claims")
		merged := MergeClaims(all)
		for _, fingerprint := range []string{"one", "two"} {
			for _, key := range []string{"a", "b", "bb", "c", "d", "h", "hh", "z"} {
				since, doubt := said(all, fingerprint, key)
				now, nowDoubt := said(merged, fingerprint, key)
				isLess := func(was, is time.Time) bool { return !was.IsZero() && (is.IsZero() || is.After(was)) }
				if isLess(since, now) || isLess(doubt, nowDoubt) {
					t.Fatalf("%s, %s: got %v and %v, want no less than %v and %v: %+v", fingerprint, key, now, nowDoubt, since, doubt, merged)
				}
				if len(all) <= mostClaims && (!now.Equal(since) || !nowDoubt.Equal(doubt)) {
					t.Fatalf("%s, %s: got %v and %v, want %v and %v: %+v", fingerprint, key, now, nowDoubt, since, doubt, merged)
				}
			}
		}
	})
}

// TestStoppedClaimsAreBounded merges the claims of a pass that is killed again and again at other keys. It
// checks that their number is bounded, and that every key stays claimed.
func TestStoppedClaimsAreBounded(t *testing.T) {
	t.Parallel()
	at := time.Unix(1, 0)
	var all []Claim
	key := func(i int) string { return fmt.Sprintf("%06d", 10*i) }
	for i := range 2000 {
		all = MergeClaims(append(all, Claim{Fingerprint: "f", After: key(i), Until: key(i) + "5", Since: at, Stopped: at.Add(time.Duration(i))}))
		if len(all) > mostStopped {
			t.Fatalf("got %d claims after %d kills", len(all), i)
		}
	}
	for i := range 2000 {
		if !slices.ContainsFunc(all, func(c Claim) bool { return c.Covers(key(i)+"1") && !c.Stopped.Before(at.Add(time.Duration(i))) }) {
			t.Fatalf("%s is not claimed since kill %d", key(i), i)
		}
	}
}
