package checkpoint_test

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// TestReserved checks which keys count as reserved while some ranges are walked, some have ended and
// some are settled.
func TestReserved(t *testing.T) {
	ledger := openLedger(t, checkpointtest.NewMemory(), options())
	pass, err := ledger.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	low, middle, high := pass.Walk(""), pass.Walk("d"), pass.Walk("m")
	if got := pass.Frontier(); got != "" {
		t.Errorf("got frontier %q before any key is reserved", got)
	}
	reserve := func(w *checkpoint.Walk, key string) *checkpoint.Slot {
		t.Helper()
		s, err := w.Reserve(t.Context(), key, record.Rows{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	reserve(low, "b")
	reserve(middle, "e").Drop()
	middle.End("h") // settled as a whole
	reserve(high, "p")
	high.End("r") // ended, but not settled
	for _, tt := range []struct {
		key, next string
		reserved  bool
	}{
		{"a", "b", true},
		{"b", "b", true},
		{"c", "c", false},
		{"d", "h", false},
		{"e", "h", true},
		{"h", "h", true},
		{"i", "i", false},
		{"m", "r", false},
		{"q", "r", true},
		{"r", "r", true},
		{"s", "s", false},
	} {
		next, ok := pass.Unreserved(tt.key)
		if got := pass.Reserved(tt.key); got != tt.reserved || !ok || next != tt.next {
			t.Errorf("%q: got reserved %t, next %q, %t, want %t, %q", tt.key, got, next, ok, tt.reserved, tt.next)
		}
	}
	if got := pass.Frontier(); got != "b" {
		t.Errorf("got frontier %q, want the last reserved key of the lowest range", got)
	}
	last := pass.Walk("r")
	last.End("")
	if next, ok := pass.Unreserved("o"); ok {
		t.Errorf("got %q, want no unreserved key after the last range has ended", next)
	}
	if err := pass.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := ledger.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = again.Abandon(t.Context()) }()
	if next, _ := again.Unreserved("d"); !again.Reserved("f") || again.Reserved("p") || next != "h" {
		t.Errorf("got next %q in the resumed pass, want the settled range reserved and no other", next)
	}
}

// TestStalled checks that a range is stalled while Reserve waits for its mark, and that its first
// unsettled key is the one that it waits for.
func TestStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.Window = 4
		pass, err := openLedger(t, checkpointtest.NewMemory(), o).Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		low, high := pass.Walk(""), pass.Walk("m")
		var slots []*checkpoint.Slot
		for _, key := range []string{"a", "b"} {
			slot, err := low.Reserve(t.Context(), key, record.Rows{})
			if err != nil {
				t.Fatal(err)
			}
			slots = append(slots, slot)
		}
		if _, err := high.Reserve(t.Context(), "n", record.Rows{}); err != nil {
			t.Fatal(err)
		}
		if got := pass.Stalled(); got != nil {
			t.Errorf("got %q stalled before any call waits", got)
		}
		slots[1].Drop()
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if _, err := low.Reserve(t.Context(), "c", record.Rows{}); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		if diff := cmp.Diff([]string{"a"}, pass.Stalled()); diff != "" {
			t.Errorf("stalled (-want +got):\n%s", diff)
		}
		slots[0].Drop()
		waiting.Wait()
		if got := pass.Stalled(); got != nil {
			t.Errorf("got %q stalled after the call has returned", got)
		}
		if err := pass.Abandon(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}
