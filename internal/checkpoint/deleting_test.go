package checkpoint_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// deletable returns the keys above after that can be deleted after two missed passes.
func deletable(t *testing.T, pass *solo, after string) (keys []string) {
	t.Helper()
	rows, err := pass.Deletable(t.Context(), 2, after)
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range rows {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, e.Key)
	}
	return keys
}

// missAll walks a pass that misses all keys for the given number of times, by key.
func missAll(t *testing.T, pass *solo, missed map[string]int64) {
	t.Helper()
	for e, err := range pass.Previous(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n := missed[e.Key]; n > 0 {
			e.Missed, e.MissedIn = n, pass.Number()
		}
		slot := reserve(t, pass, e.Key)
		slot.Gone()
		slot.Carry(e)
	}
	pass.walk.End("")
}

// TestDeletable checks which entries can be deleted after the walk of a pass, that removed entries are
// gone after a kill and a commit, and that the others keep their pass.
func TestDeletable(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	ledger := openLedger(t, memory, options())
	recordAll(t, ledger, "a", "b", "c", "d", "e")
	pass := begin(t, ledger)
	if _, err := pass.Deletable(t.Context(), 1, ""); err == nil {
		t.Error("got entries before the walk has ended")
	}
	missAll(t, pass, map[string]int64{"b": 1, "c": 2, "d": 3, "e": 2})
	want := func(pass *solo, after string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, deletable(t, pass, after)); diff != "" || pass.Counts().Listed() != 0 {
			t.Errorf("got %+v; keys after %q (-want +got):\n%s", pass.Counts(), after, diff)
		}
	}
	want(pass, "", "c", "d", "e")
	want(pass, "c", "d", "e")
	pass.Remove("c", "d")
	want(pass, "", "e")
	memory = memory.Clone()
	resumed := begin(t, openLedger(t, memory, options()))
	want(resumed, "", "e")
	resumed.Remove("e")
	commit(t, resumed)
	missed := map[string]int64{}
	for e, err := range begin(t, openLedger(t, memory.Clone(), options())).Previous(t.Context()) {
		if err != nil || e.Pass != 1 {
			t.Fatalf("got %+v, %v, want an entry of pass 1", e, err)
		}
		missed[e.Key] = e.Missed
	}
	if diff := cmp.Diff(map[string]int64{"a": 0, "b": 1}, missed); diff != "" {
		t.Errorf("missed (-want +got):\n%s", diff)
	}
	if last, err := record.Latest(t.Context(), memory, mapping); err != nil || last.Entries != 2 || last.Counts.Dropped != 3 {
		t.Errorf("got %+v, %v, want two entries", last, err)
	}
}

// TestEntriesMissedEarlier checks that an entry is deletable only if this pass missed it, and that a
// pass that did not look for it does not count.
func TestEntriesMissedEarlier(t *testing.T) {
	t.Parallel()
	ledger := openLedger(t, checkpointtest.NewMemory(), options())
	recordAll(t, ledger, "a", "b")
	pass := begin(t, ledger)
	missAll(t, pass, map[string]int64{"a": 5, "b": 5})
	commit(t, pass)
	pass = begin(t, ledger)
	missAll(t, pass, map[string]int64{"b": 6})
	if diff := cmp.Diff([]string{"b"}, deletable(t, pass, "")); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// TestUnansweredDeletes checks that a claim on deletes outlives a kill and the commit of the pass, until
// it is answered, and that it counts for half an hour.
func TestUnansweredDeletes(t *testing.T) {
	t.Parallel()
	for label, tt := range map[string]struct {
		answers, kills bool
		want           int
	}{
		"answered": {answers: true}, "not answered": {want: 1}, "killed": {kills: true, want: 1}, "killed after the answer": {answers: true, kills: true, want: 1},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			memory := checkpointtest.NewMemory()
			o := options()
			ledger := openLedger(t, memory, o)
			recordAll(t, ledger, "a", "b", "c")
			pass := begin(t, ledger)
			missAll(t, pass, map[string]int64{"b": 2})
			flush(t, pass)
			answered, err := pass.ClaimDeletes(t.Context(), []record.Range{{After: "a", Until: "b"}})
			if err != nil {
				t.Fatal(err)
			}
			if tt.answers {
				answered()
			}
			if tt.kills {
				memory = memory.Clone()
				o.Now = func() time.Time { return options().Now().Add(20 * time.Minute) }
				ledger = openLedger(t, memory, o)
				pass = begin(t, ledger)
			}
			commit(t, pass)
			next := begin(t, ledger)
			claims := next.Claims()
			if len(claims) != tt.want {
				t.Fatalf("got %+v, want %d claims", claims, tt.want)
			}
			for _, c := range claims {
				if !c.Covers("b") || c.Covers("a") || c.Covers("c") || !c.MayLand(o.Now().Add(29*time.Minute)) || c.MayLand(o.Now().Add(31*time.Minute)) {
					t.Errorf("got %+v, want a claim on b for half an hour", c)
				}
			}
		})
	}
}
