package checkpoint_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
)

func TestLeaseExcludesASecondWriter(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	ledger := openLedger(t, memory, options())
	_, err := checkpoint.Open(t.Context(), memory, options())
	if held, ok := errors.AsType[*store.LeaseHeldError](err); !ok || held.Holder != "test/1" {
		t.Errorf("second open: got %v, want a LeaseHeldError", err)
	}
	if err := errors.Join(ledger.Close(), ledger.Close()); err != nil {
		t.Errorf("close twice: %v", err)
	}
	if _, err := ledger.Begin(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("begin after close: got %v, want %v", err, store.ErrLeaseLost)
	}
	openLedger(t, memory, options())
}

func TestLostLeaseWritesNothing(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*solo) error{
		"flush":  func(p *solo) error { return p.Flush(t.Context()) },
		"commit": func(p *solo) error { _, err := p.Commit(t.Context()); return err },
	} {
		memory := checkpointtest.NewMemory()
		pass := begin(t, openLedger(t, memory, options()))
		reserve(t, pass, "a").Record(entry("a", "1"))
		memory.TakeLease(mapping)
		if err := write(pass); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("%s: got %v, want %v", name, err, store.ErrLeaseLost)
		}
		if names, _ := memory.List(t.Context(), ""); len(names) != 0 {
			t.Errorf("%s: got %q, want nothing written", name, names)
		}
	}
}

// TestOnlyOneOfTwoWritersCommits checks that a writer that lost its lease between the check and the
// write of the manifest cannot commit if the manifest's name is taken.
func TestOnlyOneOfTwoWritersCommits(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	other := openLedgerLate(t, memory)
	taken := false
	slow := &checkpointtest.Faulty{Store: memory, Before: func(operation, name string) error {
		if operation == "create" && strings.Contains(name, "manifest-") && !taken {
			taken = true
			memory.TakeLease(mapping)
			other()
		}
		return nil
	}}
	ledger := openLedger(t, slow, options())
	pass := begin(t, ledger)
	reserve(t, pass, "mine").Record(entry("mine", "1"))
	if _, err := pass.Commit(t.Context()); !errors.Is(err, store.ErrSuperseded) {
		t.Errorf("commit: got %v, want %v", err, store.ErrSuperseded)
	}
	if diff := cmp.Diff(map[string]string{"theirs": "1"}, etags(t, memory)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// openLedgerLate returns a function that opens a ledger of the store and commits a generation.
func openLedgerLate(t *testing.T, store store.Store) func() {
	t.Helper()
	return func() {
		recordAll(t, openLedger(t, store, options()), "theirs")
	}
}

func TestLostResponseOfACommit(t *testing.T) {
	t.Parallel()
	store := &checkpointtest.Faulty{Store: checkpointtest.NewMemory()}
	store.After = func(_, name string) error {
		if strings.Contains(name, "manifest-0000000001") {
			return checkpointtest.ErrBroken
		}
		return nil
	}
	ledger := openLedger(t, store, options())
	pass := begin(t, ledger)
	reserve(t, pass, "a").Record(entry("a", "1"))
	if _, err := pass.Commit(t.Context()); !errors.Is(err, checkpointtest.ErrBroken) {
		t.Fatalf("commit: got %v, want %v", err, checkpointtest.ErrBroken)
	}
	next := begin(t, ledger)
	if next.Number() != 2 || ledger.Generation() != 1 {
		t.Errorf("after the lost answer: got pass %d on %d, want 2 on 1", next.Number(), ledger.Generation())
	}
}
