package checkpoint_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// TestRefusalIsOneRecord ends a pass because everything is refused. It checks that the next process
// gets the reason, and that a pass under other settings does not.
func TestRefusalIsOneRecord(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	pass := begin(t, openLedger(t, memory, under("one")))
	reserve(t, pass, "a").Record(entry("a", "1"))
	reserve(t, pass, "b") // refused, and not settled
	want := record.Refusal{Reason: "denied", Detail: "no", Since: epoch, WalkedAt: epoch.Add(time.Hour), After: []string{"a", "t\xff\\"}}
	if err := pass.Refuse(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if err := pass.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	memory, resumed := killed(t, memory, "one")
	got, ok := resumed.Refusal()
	if diff := cmp.Diff(want, got); diff != "" || !ok || resumed.Mark() != "a" || resumed.LowWater() != "a" {
		t.Errorf("resumed after %q, want the mark below the refused key (-want +got):\n%s", resumed.Mark(), diff)
	}
	if _, other := killed(t, memory, "two"); other != nil {
		if _, ok := other.Refusal(); ok {
			t.Error("got the refusal under other settings, want every object tried")
		}
	}
}

// TestRefusalIsForgotten checks that the first save of a pass that continues clears the refusal.
func TestRefusalIsForgotten(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	pass := begin(t, openLedger(t, memory, under("one")))
	if err := pass.Refuse(t.Context(), record.Refusal{Reason: "denied"}); err != nil {
		t.Fatal(err)
	}
	memory, resumed := killed(t, memory, "one")
	reserve(t, resumed, "a").Record(entry("a", "1"))
	if err := resumed.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	memory, kept := killed(t, memory, "one")
	if _, ok := kept.Refusal(); !ok {
		t.Error("a save cleared the refusal before Allowed was called")
	}
	kept.Allowed()
	reserve(t, kept, "b").Record(entry("b", "1"))
	if err := kept.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, last := killed(t, memory, "one"); last != nil {
		if _, ok := last.Refusal(); ok {
			t.Error("got the refusal after it was allowed")
		}
	}
}

// TestClaimOfOneKey checks that a claim on one key is durable and is made only once.
func TestClaimOfOneKey(t *testing.T) {
	t.Parallel()
	store, created := counting(checkpointtest.NewMemory())
	pass := begin(t, openLedger(t, store, under("one")))
	claimed(t, pass, "", "c", epoch)
	for _, key := range []string{"b", "t", "t"} {
		if err := pass.ClaimKey(t.Context(), key, epoch.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	if len(*created) != 2 {
		t.Errorf("wrote %q, want one record for each claim", *created)
	}
	_, resumed := killed(t, store.Store.(*checkpointtest.Memory), "one")
	claims := resumed.Claims()
	if len(claims) != 4 || !claims[1].Covers("t") || claims[1].Covers("s") || claims[1].Covers("ta") {
		t.Errorf("got %+v, want a claim on one key in addition to the first, and both again for late requests", claims)
	}
	if err := resumed.ClaimKey(t.Context(), "t", epoch.Add(time.Hour)); err != nil || len(resumed.Claims()) != len(claims) {
		t.Errorf("got %v, %+v, want nothing claimed twice", err, resumed.Claims())
	}
}

// TestPreviousAfterAKey checks that Previous yields the entries of the last generation, and
// those that the pass saved above its mark, starting after a key.
func TestPreviousAfterAKey(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	recordAll(t, openLedger(t, memory, options()), "a", "b", "c", "d")
	memory = memory.Clone()
	pass := begin(t, openLedger(t, memory, options()))
	reserve(t, pass, "a")
	reserve(t, pass, "b").Record(entry("b", "2"))
	reserve(t, pass, "c").Record(entry("c", "2"))
	if err := pass.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	memory = memory.Clone()
	resumed := begin(t, openLedger(t, memory, options()))
	var got []string
	for e, err := range resumed.Pass.Previous(t.Context(), "b") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Key+e.Source.ETag)
	}
	if diff := cmp.Diff([]string{"c2", "d1"}, got); diff != "" {
		t.Errorf("entries after a key (-want +got):\n%s", diff)
	}
}
