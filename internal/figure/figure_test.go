package figure_test

import (
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/figure"
)

// TestNothingIsKnownAtFirst checks that the values of a new mapping are unknown, not 0.
func TestNothingIsKnownAtFirst(t *testing.T) {
	board := figure.NewBoard()
	m := board.Of("m")
	m.AskOldest(func() (float64, bool) { return 0, false })
	m.AskRate("kms", func() (float64, bool) { return 0, false })
	m.AskCredentials("source", func() (time.Time, bool) { return time.Time{}, false })
	want := figure.Figure{Quarantine: map[string]int64{}, Credentials: map[string]time.Time{}, Rates: map[string]float64{}, Throttles: map[string]int64{}}
	if diff := cmp.Diff(want, m.Read()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if m.HoldsLease() || m.Beats() != 0 || board.ClockSkew() != nil {
		t.Errorf("got lease held %v, %d signs of activity and a skew of %v, want none", m.HoldsLease(), m.Beats(), board.ClockSkew())
	}
}

// TestAFigureIsACopy checks that later changes by the setter or reader of a value do not change the
// board.
func TestAFigureIsACopy(t *testing.T) {
	m := figure.NewBoard().Of("m")
	set := map[string]int64{"denied": 2}
	m.SetQuarantine(set)
	m.SetLedger(7, 100)
	m.SetBacklog(3, 30)
	set["denied"] = 9
	f := m.Read()
	f.Quarantine["archived"] = 1
	*f.Generation, *f.BacklogObjects = 0, 0
	got := m.Read()
	if diff := cmp.Diff(map[string]int64{"denied": 2}, got.Quarantine); diff != "" || *got.Generation != 7 || *got.BacklogObjects != 3 {
		t.Errorf("got generation %d and backlog %d, quarantine (-want +got):\n%s", *got.Generation, *got.BacklogObjects, diff)
	}
}

// TestReasonsAreText checks that quarantine reasons, which may come from a corrupted ledger, are
// valid UTF-8, so that they can be used as labels.
func TestReasonsAreText(t *testing.T) {
	m := figure.NewBoard().Of("m")
	m.SetQuarantine(map[string]int64{"a\xff": 1, "a\xfe": 2})
	if diff := cmp.Diff(map[string]int64{"a\ufffd": 3}, m.Read().Quarantine); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTimesAreToTheMillisecond checks that times have the precision of a metric, milliseconds, and
// are in UTC.
func TestTimesAreToTheMillisecond(t *testing.T) {
	m := figure.NewBoard().Of("m")
	m.SetLastSuccess(time.Date(2026, 5, 1, 12, 0, 0, 1_999_999, time.FixedZone("", 7200)))
	if got, want := m.Read().LastSuccess, time.Date(2026, 5, 1, 10, 0, 0, 1_000_000, time.UTC); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestHasAside(t *testing.T) {
	for want, byReason := range map[bool]map[string]int64{false: {"denied": 0}, true: {"denied": 0, "archived": 1}} {
		if got := (figure.Figure{Quarantine: byReason}).HasAside(); got != want {
			t.Errorf("%v: got %v, want %v", byReason, got, want)
		}
	}
}

// TestForget checks that a mapping that was removed and added again starts without values, even if
// users of the removed Mapping still set values.
func TestForget(t *testing.T) {
	board := figure.NewBoard()
	former := board.Of("m")
	former.SetLedger(7, 100)
	if board.Of("m") != former {
		t.Error("got another mapping of the same name, want the one on the board")
	}
	board.Forget("m")
	former.SetLedger(8, 100)
	if got := board.All(); len(got) != 0 {
		t.Errorf("got %v, want nothing after the only mapping was forgotten", got)
	}
	if got := board.Of("m").Read().Generation; got != nil {
		t.Errorf("got generation %d of a mapping that came back, want none", *got)
	}
}

// TestReadingWhileWriting checks that values that are set together are read together, even while
// another goroutine sets them.
func TestReadingWhileWriting(t *testing.T) {
	board := figure.NewBoard()
	const times = 2000
	var writing sync.WaitGroup
	for range 2 {
		writing.Go(func() {
			for n := range int64(times) {
				m, at := board.Of("m"), time.Unix(n+1, 0)
				m.SetLedger(n, n)
				m.SetBacklog(n, n)
				if n%16 == 0 {
					m.ClearBacklog()
				}
				m.SetQuarantine(map[string]int64{"denied": n, "archived": n})
				m.SetLeaseHeld(n%2 == 0)
				m.SetLeaseExpiry(at)
				m.SetLastSuccess(at)
				m.SetLastListing(at)
				m.AskOldest(func() (float64, bool) { return 0, true })
				m.AskConcurrency(func() int64 { return n })
				m.AskRanges(func() (int64, figure.Range) { return n, figure.Range{Seconds: float64(n)} })
				m.AskCredentials("source", func() (time.Time, bool) { return at, true })
				m.AskRate("kms", func() (float64, bool) { return 0, true })
				m.AskThrottles("kms", func() int64 { m.HoldsLease(); return n }) // the func may read the mapping
				board.AskClockSkew(func() (float64, bool) { return 0, true })
				m.Beat()
			}
		})
	}
	for range times {
		board.ClockSkew()
		f := board.All()["m"]
		if (f.Generation == nil) != (f.Entries == nil) || f.Generation != nil && *f.Generation != *f.Entries {
			t.Fatalf("got generation %v with %v entries, want both of one moment", f.Generation, f.Entries)
		}
		if (f.BacklogObjects == nil) != (f.BacklogBytes == nil) || f.BacklogObjects != nil && *f.BacklogObjects != *f.BacklogBytes {
			t.Fatalf("got a backlog of %v objects and %v bytes, want both of one moment", f.BacklogObjects, f.BacklogBytes)
		}
		if f.OldestRange.Seconds != float64(f.Ranges) {
			t.Fatalf("got %d ranges, the oldest of %v s, want both of one moment", f.Ranges, f.OldestRange.Seconds)
		}
		if f.Quarantine["denied"] != f.Quarantine["archived"] {
			t.Fatalf("got %v in quarantine, want both of one moment", f.Quarantine)
		}
	}
	writing.Wait()
	if got := board.Of("m").Beats(); got != 2*times {
		t.Errorf("got %d signs of activity, want %d", got, 2*times)
	}
}
