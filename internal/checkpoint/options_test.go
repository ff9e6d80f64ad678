package checkpoint_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

func TestKeepFor(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		keep time.Duration
		want []string
	}{
		{"none", 0, []string{"07", "08"}},
		{"less than the count", time.Minute, []string{"07", "08"}},
		{"an age", 4 * time.Hour, []string{"05", "06", "07", "08"}},
		{"longer than all", 1000 * time.Hour, []string{"01", "02", "03", "04", "05", "06", "07", "08"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			memory := checkpointtest.NewMemory()
			clock := epoch
			o := options()
			o.Now, o.KeepFor, o.KeepGenerations = func() time.Time { return clock }, test.keep, 2
			for range 8 {
				clock = clock.Add(time.Hour)
				ledger := openLedger(t, memory, o) // a new process keeps the same generations readable
				recordAll(t, ledger, "a")
				if err := ledger.Close(); err != nil {
					t.Fatal(err)
				}
			}
			wantGenerations(t, memory, test.want...)
			if names, _ := memory.List(t.Context(), mapping+"/chunk-"); len(names) != len(test.want) {
				t.Errorf("got chunks %q, want those of the %d generations", names, len(test.want))
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	with := func(fingerprint string) checkpoint.Options {
		o := options()
		o.Fingerprint = fingerprint
		return o
	}
	ledger := openLedger(t, memory, with("one"))
	pass := begin(t, ledger)
	reserve(t, pass, "a").Record(entry("a", "1"))
	flush(t, pass)
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ fingerprint, mark string }{{"two", ""}, {"one", "a"}} {
		ledger := openLedger(t, memory, with(step.fingerprint))
		if got := begin(t, ledger).Mark(); got != step.mark {
			t.Errorf("under %q: got mark %q, want %q", step.fingerprint, got, step.mark)
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ledger = openLedger(t, memory, with("two"))
	pass = begin(t, ledger)
	reserve(t, pass, "a").Record(entry("a", "2"))
	flush(t, pass)
	progress, ok, err := record.Unfinished(t.Context(), memory, mapping)
	if err != nil || !ok || progress.Fingerprint != "two" {
		t.Errorf("unfinished: got %+v, %t, %v, want fingerprint two", progress, ok, err)
	}
	commit(t, pass)
	if got := ledger.Manifest().Fingerprint; got != "two" {
		t.Errorf("manifest: got %q, want two", got)
	}
	if diff := cmp.Diff(map[string]string{"a": "2"}, etags(t, memory)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestStartOver(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	story(t, memory)
	for _, n := range []int{1, 2} {
		memory.Damage(fmt.Sprintf("%s/manifest-%010d.json", mapping, n), func([]byte) []byte { return nil })
	}
	before, err := memory.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	_, openErr := checkpoint.Open(t.Context(), memory, options())
	_, latestErr := record.Latest(t.Context(), memory, mapping)
	for _, err := range []error{openErr, latestErr} {
		if !errors.Is(err, record.ErrNothingWhole) {
			t.Fatalf("got %v, want %v", err, record.ErrNothingWhole)
		}
	}
	o := options()
	o.StartOver = true
	ledger := openLedger(t, memory, o)
	pass := begin(t, ledger)
	if ledger.Generation() != 0 || pass.Number() != 3 || pass.Resumed() {
		t.Errorf("got generation %d and pass %d, resumed %t, want none and 3 from the first key", ledger.Generation(), pass.Number(), pass.Resumed())
	}
	reserve(t, pass, "new").Record(entry("new", "1"))
	flush(t, pass)
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	ledger = openLedger(t, memory, o)
	pass = begin(t, ledger)
	if pass.Mark() != "new" {
		t.Errorf("mark: got %q, want new: a pass that was started over resumes", pass.Mark())
	}
	for range 5 {
		commit(t, pass)
		pass = begin(t, ledger)
		reserve(t, pass, "new").Record(entry("new", "2"))
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	// From here on the ledger works as usual, and the damaged records still exist.
	var log fmt.Stringer
	o = options()
	log = warnings(&o)
	ledger = openLedger(t, memory, o)
	if ledger.Generation() != 7 || log.String() != "" {
		t.Errorf("got generation %d, want 7 without a warning: %s", ledger.Generation(), log)
	}
	for _, name := range before {
		if _, err := memory.Read(t.Context(), name); err != nil {
			t.Errorf("damaged ledger: %v", err)
		}
	}
	if diff := cmp.Diff(map[string]string{"new": "2"}, etags(t, memory)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestMappings(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	for _, name := range []string{"c", "a", "a-b"} {
		o := options()
		o.Mapping = name
		ledger := openLedger(t, memory, o)
		recordAll(t, ledger, "x")
		recordAll(t, ledger, "x")
	}
	o := options()
	o.Mapping = "b"
	pass := begin(t, openLedger(t, memory, o))
	reserve(t, pass, "x").Record(entry("x", "1"))
	flush(t, pass) // no manifest yet
	got, err := record.Mappings(t.Context(), memory)
	if diff := cmp.Diff([]string{"a", "a-b", "c"}, got); err != nil || diff != "" {
		t.Errorf("mappings: %v (-want +got):\n%s", err, diff)
	}
}

// TestStartOverOfAHealthyLedger checks that StartOver has no effect on an intact ledger.
func TestStartOverOfAHealthyLedger(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	story(t, memory)
	o := options()
	o.StartOver = true
	if got := openLedger(t, memory, o).Generation(); got != 2 {
		t.Errorf("generation: got %d, want 2", got)
	}
}

// TestStartOverAfterATakeover checks that the previous holder is fenced off if all generations are
// damaged and StartOver is set.
func TestStartOverAfterATakeover(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	recordAll(t, openLedger(t, memory, options()), "a")
	memory.Damage(mapping+"/manifest-0000000001.json", func([]byte) []byte { return nil })
	memory.TakeLease(mapping)
	if _, err := checkpoint.Open(t.Context(), memory, options()); !errors.Is(err, record.ErrNothingWhole) {
		t.Fatalf("open: got %v, want %v", err, record.ErrNothingWhole)
	}
	wantGenerations(t, memory, "01")
	o := options()
	o.StartOver = true
	ledger := openLedger(t, memory, o)
	wantGenerations(t, memory, "01", "02")
	if got := begin(t, ledger).Number(); got != 3 {
		t.Errorf("pass: got %d, want 3, after the fence", got)
	}
}
