package duckdb_test

import (
	"fmt"
	"testing"
)

// stages returns the steps in which a ledger grows. The queries must be right after each.
func stages() []func(*testing.T, *ledger) {
	return []func(*testing.T, *ledger){
		commit(first()),
		commit(few(1)),
		commit(few(2)),
		commit(few(3)),
		interrupted,
		commit(few(4)),
		commit(few(5)),
		commit(most()),
		commit(few(6)),
	}
}

// commit returns a step that commits a pass with changes.
func commit(changes map[string]settling) func(*testing.T, *ledger) {
	return func(t *testing.T, l *ledger) {
		t.Helper()
		l.commit(t, changes)
	}
}

// first records all entries, and quarantines some objects.
func first() map[string]settling {
	changes := map[string]settling{}
	for i, key := range keys() {
		changes[key] = copied(i)
		if key[0] == 'p' {
			changes[key] = setAside(i)
		}
	}
	return changes
}

// few changes few keys: copies new versions, removes entries, quarantines objects that had an entry,
// and changes or ends quarantines. Keys overlap with those of the calls before.
func few(n int) map[string]settling {
	changes := map[string]settling{}
	for i := range 10 {
		at := 100*i + n
		id := 10_000*n + i
		changes[fmt.Sprintf("exports/%05d", at)] = copied(id)
		changes[fmt.Sprintf("exports/%05d", at+1)] = drop
		changes[fmt.Sprintf("exports/%05d", at+2)] = setAside(id + 100)
		changes[fmt.Sprintf("poison/%05d", 10*i)] = writtenSince(id)
	}
	changes[fmt.Sprintf("poison/%05d", n)] = copied(10_000*n + 200)
	changes[fmt.Sprintf("poison/%05d", n+20)] = setAside(10_000*n + 201)
	changes[oddKeys()[n]] = copied(10_000*n + 300)
	changes[oddKeys()[n+6]] = drop
	changes[fmt.Sprintf("new/%d", n)] = copied(10_000*n + 400)
	return changes
}

// most copies new versions of most keys, so that all runs are merged.
func most() map[string]settling {
	changes := map[string]settling{}
	for i := range objects {
		if i%4 != 0 {
			changes[fmt.Sprintf("exports/%05d", i)] = copied(100_000 + i)
		}
	}
	return changes
}

// interrupted saves rows of a pass that does not commit. The next pass resumes it.
func interrupted(t *testing.T, l *ledger) {
	t.Helper()
	pass, _ := l.walk(t, map[string]settling{"exports/00500": copied(90_000), "exports/00700": drop}, "exports/00800")
	if err := pass.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
}
