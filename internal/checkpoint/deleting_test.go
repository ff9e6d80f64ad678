package checkpoint_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// TestDeletable checks which entries can be deleted after the walk of a pass, that removed entries are
// gone after a kill and a commit, and that the others keep their pass.
func TestDeletable(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	ledger := openLedger(t, memory, options())
	recordAll(t, ledger, "a", "b", "c", "d", "e")
	pass := begin(t, ledger)
	if _, err := pass.Deletable(t.Context(), 1); err == nil {
		t.Error("got entries before the walk has ended")
	}
	for e, err := range pass.Previous(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		slot := reserve(t, pass, e.Key)
		switch e.Key {
		case "a":
			slot.Carry(e)
		case "b":
			e.Missed = 1
			slot.Carry(e)
		default:
			e.Missed = 2
			slot.CarryDue(e)
		}
	}
	pass.walk.End("")
	wantDeletable := func(pass *solo, want ...string) {
		t.Helper()
		rows, err := pass.Deletable(t.Context(), 2)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for e, err := range rows {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, e.Key)
		}
		if diff := cmp.Diff(want, got); diff != "" || pass.Counts().Due != int64(len(want)) || pass.Counts().Missed != int64(len(want)+1) {
			t.Errorf("got %+v; keys (-want +got):\n%s", pass.Counts(), diff)
		}
	}
	wantDeletable(pass, "c", "d", "e")
	pass.Remove("c", "d")
	flush(t, pass)
	memory = memory.Clone()
	resumed := begin(t, openLedger(t, memory, options()))
	wantDeletable(resumed, "e")
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
	if last, err := record.Latest(t.Context(), memory, mapping); err != nil || last.Entries != 2 || last.Counts.Dropped != 3 || last.Counts.Due != 0 {
		t.Errorf("got %+v, %v, want two entries", last, err)
	}
}
