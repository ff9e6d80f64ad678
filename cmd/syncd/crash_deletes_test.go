package main

import (
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/demo"
	"syncd/internal/iam"
)

// crashAge is the time after which a pass no longer expects requests of a killed process, so that copies of
// deleted objects are deleted.
const crashAge = 31 * time.Minute

// addDeletes allows the consumer's role to delete copies.
func (s *site) addDeletes() { s.Role.SetPolicies(iam.MustParse(fidelityRole)) }

// remove deletes some objects from the source.
func (c *crash) remove() {
	if !c.deletes {
		return
	}
	for range c.random.IntN(40) {
		c.Source.Delete(copyOf(c.random.IntN(crashObjects)))
	}
}

// age lets a long time pass by all clocks after every second kill on average.
func (c *crash) age() {
	if !c.deletes {
		return
	}
	time.Sleep(50 * time.Millisecond) // requests of the killed process are dated before
	if c.random.IntN(2) == 0 {
		c.skew.Add(int64(crashAge))
	}
	c.env = []string{clockAhead + "=" + time.Duration(c.skew.Load()).String()}
}

// checkDeletes checks that no copy was deleted whose object the source has had for longer than a pass takes
// from its second look at the source to the delete.
func (c *crash) checkDeletes(t *testing.T) {
	t.Helper()
	const slack = 10 * time.Second
	for i := range crashObjects {
		object, ok := c.Source.Object(copyOf(i))
		if added := c.Destination.Markers(copyOf(i)); ok && len(added) > 0 && added[0].Sub(object.LastModified) > slack {
			t.Fatalf("%s: deleted at %s, but the source has had the object since %s", copyOf(i), added[0], object.LastModified)
		}
	}
}

// isDeleted reports whether the copy of an object was deleted.
func (c *crash) isDeleted(key string) bool {
	_, isThere := c.Source.Object(key)
	return c.deletes && !isThere && len(c.Destination.Markers(key)) > 0
}

// finishDeletes runs passes until all deletes are due, and checks that no copy in the ledger is left whose
// object was deleted. If an object is deleted after a killed process has copied it and before the next pass,
// no record proves that syncd wrote the copy, so the copy stays.
func (c *crash) finishDeletes(t *testing.T) {
	t.Helper()
	if !c.deletes {
		return
	}
	for range 4 {
		c.skew.Add(int64(crashAge))
		if got := c.run(t.Context(), "backfill"); got.code != 0 {
			t.Fatalf("a pass with deletes: got exit %d; stderr:\n%s", got.code, got.stderr)
		}
	}
	orphans, deletable := 0, map[string]bool{}
	for entry, err := range checkpoint.Entries(t.Context(), c.store(t), demo.Mapping) {
		if err != nil {
			t.Fatal(err)
		}
		deletable[entry.Key] = entry.Missed != record.NeverDeleted
	}
	for _, key := range c.Destination.Keys() {
		if _, ok := c.Source.Object(key); ok {
			continue
		}
		if orphans++; deletable[key] {
			t.Errorf("%s: the copy was not deleted, and the ledger says that syncd wrote it", key)
		}
	}
	n := 0
	for i := range crashObjects {
		n += len(c.Destination.Markers(copyOf(i)))
	}
	t.Logf("%d copies were deleted; %d others are kept, because no record proves that syncd wrote them", n, orphans)
}
