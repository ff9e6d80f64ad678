package checkpoint_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

func claimed(t *testing.T, pass *solo, after, until string, since time.Time) {
	t.Helper()
	if err := pass.Claim(t.Context(), []record.Range{{After: after, Until: until}}, nil, since); err != nil {
		t.Fatalf("claim up to %q: %v", until, err)
	}
}

func under(fingerprint string) checkpoint.Options {
	o := options()
	o.Fingerprint = fingerprint
	return o
}

// killed simulates a kill of the process that has the ledger open, and opens the ledger again with
// the given fingerprint.
func killed(t *testing.T, memory *checkpointtest.Memory, fingerprint string) (*checkpointtest.Memory, *solo) {
	t.Helper()
	memory = memory.Clone()
	return memory, begin(t, openLedger(t, memory, under(fingerprint)))
}

// wantClaims compares the claims of a pass, without those on keys that may be written late.
func wantClaims(t *testing.T, pass *solo, want ...record.Claim) {
	t.Helper()
	got := slices.DeleteFunc(pass.Claims(), func(c record.Claim) bool { return !c.Stopped.IsZero() })
	if diff := cmp.Diff(append([]record.Claim(nil), want...), append([]record.Claim(nil), got...)); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
}

// TestClaimIsDurableBeforeItReturns checks that a claim is found if the process is killed right
// after Claim returns.
func TestClaimIsDurableBeforeItReturns(t *testing.T) {
	t.Parallel()
	store, created := counting(checkpointtest.NewMemory())
	pass := begin(t, openLedger(t, store, under("one")))
	claimed(t, pass, "", "m", epoch)
	claimed(t, pass, "", "c", epoch.Add(time.Second)) // already claimed
	claimed(t, pass, "m", "t\xff", epoch.Add(time.Minute))
	if want := 2; len(*created) != want {
		t.Errorf("wrote %q, want %d records", *created, want)
	}
	first := record.Claim{Fingerprint: "one", Until: "m", Since: epoch}
	second := record.Claim{Fingerprint: "one", After: "m", Until: "t\xff", Since: epoch.Add(time.Minute)}
	memory, resumed := killed(t, store.Store.(*checkpointtest.Memory), "one")
	wantClaims(t, resumed, first, second)
	claimed(t, resumed, "", "", epoch.Add(time.Hour))
	_, other := killed(t, memory, "two")
	wantClaims(t, other, first, second, record.Claim{Fingerprint: "one", Since: epoch.Add(time.Hour)})
	for key, want := range map[string]bool{"a": true, "m": true, "m\x00": false} {
		if got := first.Covers(key); got != want {
			t.Errorf("covers %q: got %v, want %v", key, got, want)
		}
	}
}

// TestClaimLastsUntilACommit checks that claims on settled keys are kept until a commit. A pass
// under other settings does not resume the earlier pass, but the destination still has the copies
// that the earlier pass made.
func TestClaimLastsUntilACommit(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	pass := begin(t, openLedger(t, memory, under("one")))
	claimed(t, pass, "", "b", epoch)
	claimed(t, pass, "b", "d", epoch.Add(time.Second))
	for _, k := range []string{"a", "b"} {
		reserve(t, pass, k).Record(entry(k, "1"))
	}
	open := reserve(t, pass, "c")
	reserve(t, pass, "d").Record(entry("d", "1"))
	flush(t, pass)
	settled := record.Claim{Fingerprint: "one", Until: "b", Since: epoch}
	left := record.Claim{Fingerprint: "one", After: "b", Until: "d", Since: epoch.Add(time.Second)}
	memory, resumed := killed(t, memory, "one")
	wantClaims(t, resumed, settled, left)
	for _, k := range []string{"c", "d"} {
		reserve(t, resumed, k).Record(entry(k, "1"))
	}
	claimed(t, resumed, "b", "d", epoch.Add(time.Minute))
	flush(t, resumed)
	settled.Until = "d" // merged into one
	memory, other := killed(t, memory, "two")
	wantClaims(t, other, settled)

	claimed(t, other, "", "z", epoch.Add(time.Hour))
	reserve(t, other, "z").Record(entry("z", "2"))
	flush(t, other)
	memory, other = killed(t, memory, "two")
	wantClaims(t, other, record.Claim{Fingerprint: "two", Until: "z", Since: epoch.Add(time.Hour)}, settled)
	commit(t, other)
	memory, other = killed(t, memory, "two")
	wantClaims(t, other, settled) // the commit ends the claims of this pass, but not the claims of other passes
	other.ReplaceClaims(func(c record.Claim) (record.Claim, bool) { return c, !cmp.Equal(c, settled) })
	carryRest(t, other, nil)
	_, last := killed(t, memory, "one")
	wantClaims(t, last)
	open.Drop() // no effect
}

// TestClaimOutlivesLateRequests kills a pass of which one claimed key is not settled. It checks that
// the claim on that key is kept by passes that begin while a request of the killed process can still
// take effect, and ends with the first commit of a later pass.
func TestClaimOutlivesLateRequests(t *testing.T) {
	t.Parallel()
	for _, fingerprint := range []string{"one", "two"} {
		t.Run(fingerprint, func(t *testing.T) {
			t.Parallel()
			now := epoch
			under := func(fingerprint string) checkpoint.Options {
				o := under(fingerprint)
				o.Now = func() time.Time { return now }
				return o
			}
			memory := checkpointtest.NewMemory()
			pass := begin(t, openLedger(t, memory, under("one")))
			claimed(t, pass, "", "d", epoch)
			for _, k := range []string{"a", "b"} {
				reserve(t, pass, k).Record(entry(k, "1"))
			}
			flush(t, pass)
			reserve(t, pass, "c")
			now = epoch.Add(time.Minute)
			late := record.Claim{Fingerprint: "one", After: "b", Until: "d", Since: epoch, Stopped: now}
			for _, at := range []struct {
				minutes time.Duration
				want    []record.Claim
			}{{1, []record.Claim{late}}, {30, []record.Claim{late}}, {31, nil}} {
				now = epoch.Add(at.minutes * time.Minute)
				memory = memory.Clone()
				next := begin(t, openLedger(t, memory, under(fingerprint)))
				got := slices.DeleteFunc(next.Claims(), func(c record.Claim) bool { return c.Stopped.IsZero() })
				if diff := cmp.Diff([]record.Claim{late}, got); diff != "" {
					t.Fatalf("claims on keys that may be written late, after %d minutes (-want +got):\n%s", at.minutes, diff)
				}
				next.ReplaceClaims(func(c record.Claim) (record.Claim, bool) { return c, false })
				carryRest(t, next, nil)
				last, err := record.Latest(t.Context(), memory, mapping)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(at.want, last.Claims); diff != "" {
					t.Fatalf("claims of the generation of minute %d (-want +got):\n%s", at.minutes, diff)
				}
			}
		})
	}
}

// TestClaimFailsWithItsSave checks that Claim returns an error and makes no claim if the claim
// cannot be saved.
func TestClaimFailsWithItsSave(t *testing.T) {
	t.Parallel()
	store := &checkpointtest.Faulty{Store: checkpointtest.NewMemory(), Before: func(operation, _ string) error {
		if operation == "create" {
			return errKilled
		}
		return nil
	}}
	pass := begin(t, openLedger(t, store, under("one")))
	if err := pass.Claim(t.Context(), []record.Range{{Until: "m"}}, nil, epoch); err == nil {
		t.Error("got a claim that was not written")
	}
	if err := pass.Claim(t.Context(), []record.Range{{Until: "a"}}, nil, epoch); err == nil {
		t.Error("got a claim from a pass that failed")
	}
}

// TestMemoStaysWithItsPass resumes a pass several times, each time under another number, with
// passes under other settings in between. It checks that the pass keeps the memo with which it
// began.
func TestMemoStaysWithItsPass(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	settle := func(fingerprint string) func(record.Settings, int64) record.Settings {
		return func(last record.Settings, pass int64) record.Settings {
			if last.Fingerprint == fingerprint {
				return last
			}
			return record.Settings{Fingerprint: fingerprint, Memo: fmt.Sprintf("%s since %d", fingerprint, pass)}
		}
	}
	take := func(fingerprint string) *solo {
		memory.TakeLease(mapping)
		ledger := openLedger(t, memory, options())
		ledger.SetSettings(settle(fingerprint))
		return begin(t, ledger)
	}
	pass := take("one")
	reserve(t, pass, "a").Record(entry("a", "1"))
	flush(t, pass)
	for range 3 {
		pass = take("one")
		if pass.Memo() != "one since 2" || pass.Mark() != "a" {
			t.Errorf("pass %d: got memo %q after %q, want the memo it began with", pass.Number(), pass.Memo(), pass.Mark())
		}
	}
	if pass = take("two"); pass.Mark() != "" || pass.Memo() != fmt.Sprintf("two since %d", pass.Number()) {
		t.Errorf("pass %d: got memo %q after %q, want a pass from the first key", pass.Number(), pass.Memo(), pass.Mark())
	}
	pass = take("one")
	commit(t, pass)
	if got := take("one").Memo(); got != "one since 2" {
		t.Errorf("after the commit: got memo %q", got)
	}
}
