package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// story is the scenario of the tests of faults. It commits two generations, with saves and uploads
// in between. It runs in one process and, like the daemon, continues after every error.
func story(t *testing.T, store store.Store) {
	t.Helper()
	o := options()
	o.ChunkEntries = 10
	ledger, err := checkpoint.Open(t.Context(), store, o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	defer func() { _ = ledger.Close() }()
	promised := newPromises()
	for attempts := 0; ledger.Generation() < 2; attempts++ {
		if attempts > 8 {
			t.Fatalf("no second generation after %d attempts", attempts)
		}
		if err := storyPass(t, ledger, promised); err != nil && !errors.Is(err, checkpointtest.ErrBroken) {
			t.Fatalf("pass: %v", err)
		}
	}
}

func storyPass(t *testing.T, ledger *checkpoint.Ledger, promised *promises) error {
	t.Helper()
	pass, err := beginSolo(t.Context(), ledger)
	if err != nil {
		return err
	}
	if pass.Number() > 2 {
		return pass.Abandon(t.Context()) // the second generation was committed; only the response was lost
	}
	if missing := promised.missing(pass); len(missing) > 0 {
		t.Errorf("pass %d does not have the uploads %q, which were saved", pass.Number(), missing)
	}
	if err := storyWalk(t.Context(), pass, int(pass.Number()), promised, func(string) {}); err != nil {
		return err
	}
	_, err = pass.Commit(t.Context())
	return err
}

// storyWalk settles the keys of the first or second pass. One key has an upload, which ends five
// keys later. One save is made during the upload and another after it. After each save, flushed is
// called with the mark.
func storyWalk(ctx context.Context, pass *solo, round int, promised *promises, flushed func(mark string)) error {
	var uploading *checkpoint.Slot
	var id string
	for i := range 20 {
		if key(i) <= pass.Mark() {
			continue
		}
		slot, err := pass.Reserve(ctx, key(i))
		if err != nil {
			return err
		}
		switch i {
		case 5:
			uploading = slot
			if id, err = promised.begin(ctx, slot, key(i)); err != nil {
				return err
			}
		case 10:
			promised.end(id)
			storySettle(uploading, 5, round)
			storySettle(slot, i, round)
		default:
			storySettle(slot, i, round)
		}
		if i%9 == 8 {
			if err := pass.Flush(ctx); err != nil {
				return err
			}
			flushed(pass.LowWater())
		}
	}
	promised.abortLeft(pass)
	return nil
}

// storySettle settles a key in the first or second pass.
func storySettle(slot *checkpoint.Slot, i, round int) {
	switch {
	case round == 1 || i%5 == 0:
		slot.Record(entry(key(i), fmt.Sprint(round)))
	case i == 7:
		previous := entry(key(i), "1")
		slot.Quarantine(quarantined(key(i), "2"), &previous)
	case i == 8:
		slot.Drop()
	default:
		slot.Carry(entry(key(i), "1"))
	}
}

func wantStory(t *testing.T, store store.Store) {
	t.Helper()
	want := make(map[string]string)
	for i := range 20 {
		want[key(i)] = map[bool]string{true: "2", false: "1"}[i%5 == 0]
	}
	delete(want, key(8))
	if diff := cmp.Diff(want, etags(t, store)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	aside := collect(t, checkpoint.Quarantine(t.Context(), store, mapping))
	if len(aside) != 1 || aside[0].Key != key(7) {
		t.Errorf("quarantine: got %v, want only %q", aside, key(7))
	}
}

// TestEverySingleWriteFails makes each write of the story fail in turn, once before and once after
// it takes effect. It checks that the story ends with the expected ledger.
func TestEverySingleWriteFails(t *testing.T) {
	t.Parallel()
	for _, withEffect := range []bool{false, true} {
		for broken := 0; ; broken++ {
			writes := 0
			fail := func(string, string) error {
				if writes++; writes == broken+1 {
					return checkpointtest.ErrBroken
				}
				return nil
			}
			store := &checkpointtest.Faulty{Store: checkpointtest.NewMemory(), Before: fail}
			if withEffect {
				store.Before, store.After = nil, fail
			}
			story(t, store)
			wantStory(t, store)
			if t.Failed() {
				t.Fatalf("when write %d broke, effect %t", broken, withEffect)
			}
			if writes <= broken {
				break // the story ended before this write
			}
		}
	}
}

// TestBitRot flips bits of every record. It checks that reading returns the last generation, the
// previous generation, or an error that names the damage, but never wrong data.
func TestBitRot(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	story(t, memory)
	last := etags(t, memory)
	first := make(map[string]string)
	for i := range 20 {
		first[key(i)] = "1"
	}
	names, err := memory.List(t.Context(), mapping+"/")
	if err != nil || len(names) < 4 {
		t.Fatalf("list: %q, %v", names, err)
	}
	former, err := record.ReadManifest(t.Context(), memory, mapping, 1)
	if err != nil {
		t.Fatal(err)
	}
	shared := map[string]bool{} // chunks of both generations
	for _, c := range record.ChunksOf(former.Runs) {
		shared[c.Name] = true
	}
	for _, name := range names {
		data, err := memory.Read(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		checkRot := func(t *testing.T, from store.Store, what string, truths ...map[string]string) {
			t.Helper()
			checkRot(t, from, what, shared[name], truths...)
		}
		for at := 0; at < len(data); at += 97 {
			damaged := memory.Clone()
			damaged.Damage(name, func(d []byte) []byte { d[at] ^= 1 << (at % 7); return d })
			checkRot(t, damaged, fmt.Sprintf("%s at %d", name, at), last, first)
		}
		for what, change := range map[string]func([]byte) []byte{
			"cut":     func(d []byte) []byte { return d[:len(d)/2] },
			"emptied": func([]byte) []byte { return nil },
			"grown":   func(d []byte) []byte { return append(d, 0) },
		} {
			damaged := memory.Clone()
			damaged.Damage(name, change)
			checkRot(t, damaged, name+" "+what, last, first)
		}
		missing := memory.Clone()
		if err := missing.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
		checkRot(t, missing, name+" missing", last, first)
	}
}

// checkRot checks what a reader and a pass see after damage. If the record is shared, every generation
// is damaged.
func checkRot(t *testing.T, from store.Store, what string, isShared bool, truths ...map[string]string) {
	t.Helper()
	read := make(map[string]string)
	for e, err := range checkpoint.Entries(t.Context(), from, mapping) {
		if err != nil {
			if _, ok := errors.AsType[*store.CorruptError](err); !ok {
				t.Errorf("%s: read: got %v, want a CorruptError", what, err)
			}
			break
		}
		read[e.Key] = e.Source.ETag
	}
	if !slices.ContainsFunc(truths, func(truth map[string]string) bool { return isPart(read, truth) }) {
		t.Errorf("%s: read wrong data: %v", what, read)
	}
	o := options()
	o.Full = true
	ledger, err := checkpoint.Open(t.Context(), from, o)
	if isShared != errors.Is(err, record.ErrNothingWhole) {
		t.Errorf("%s: open: got %v, in a record of both generations: %t", what, err, isShared)
	}
	if err != nil {
		return
	}
	defer func() { _ = ledger.Close() }()
	pass := begin(t, ledger)
	opened := make(map[string]string)
	for _, e := range collect(t, pass.Previous(t.Context())) {
		opened[e.Key] = e.Source.ETag
	}
	if !slices.ContainsFunc(truths, func(truth map[string]string) bool { return maps.Equal(opened, truth) }) {
		t.Errorf("%s: opened wrong data: %v", what, opened)
	}
}

func isPart(part, whole map[string]string) bool {
	for k, v := range part {
		if whole[k] != v {
			return false
		}
	}
	return true
}

func TestFallBackAndContinue(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	story(t, memory)
	memory.Damage(mapping+"/manifest-0000000002.json", func(d []byte) []byte { d[100] ^= 1; return d })
	o := options()
	log := warnings(&o)
	ledger := openLedger(t, memory, o)
	if ledger.Generation() != 1 {
		t.Fatalf("generation: got %d, want 1", ledger.Generation())
	}
	if text := log.String(); !strings.Contains(text, "manifest-0000000002.json is damaged") || !strings.Contains(text, "fell back") {
		t.Errorf("log: got %q, want a line that names the damage", text)
	}
	pass := begin(t, ledger)
	if pass.Number() != 3 {
		t.Errorf("number: got %d, want 3, above the damaged manifest", pass.Number())
	}
	if got := carryRest(t, pass, nil); got != 3 || ledger.Generation() != 3 {
		t.Errorf("commit: got %d and %d, want 3", got, ledger.Generation())
	}
	if got := etags(t, memory); len(got) != 20 {
		t.Errorf("got %d entries, want the 20 of generation 1", len(got))
	}
}

func TestNoIntactGeneration(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	story(t, memory)
	for _, n := range []int{1, 2} {
		memory.Damage(fmt.Sprintf("%s/manifest-%010d.json", mapping, n), func([]byte) []byte { return nil })
	}
	_, err := checkpoint.Open(t.Context(), memory, options())
	if _, ok := errors.AsType[*store.CorruptError](err); !ok || !strings.Contains(err.Error(), "manifest-0000000002.json") {
		t.Errorf("open: got %v, want an error that names the damage", err)
	}
	if _, err := record.Latest(t.Context(), memory, mapping); err == nil || errors.Is(err, record.ErrNoCheckpoint) {
		t.Errorf("latest: got %v, want an error that names the damage", err)
	}
	lease, err := memory.Acquire(t.Context(), mapping, "me")
	if err != nil {
		t.Fatalf("the lease was not released: %v", err)
	}
	_ = lease.Release()
}

func TestDamagedProgressIsRepeated(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	pass := begin(t, openLedger(t, memory, options()))
	for i := range 3 {
		reserve(t, pass, key(i)).Record(entry(key(i), "1"))
		flush(t, pass)
	}
	for _, test := range []struct {
		name    string
		damaged []string
		want    string
	}{
		{"none", nil, key(2)},
		{"the last record", []string{"progress-0000000001-0000000003"}, key(1)},
		{"every record", []string{"progress-"}, ""},
		{"every chunk", []string{"chunk-"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			killed := memory.Clone()
			names, err := killed.List(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if slices.ContainsFunc(test.damaged, func(d string) bool { return strings.Contains(name, d) }) {
					killed.Damage(name, func(d []byte) []byte { d[len(d)/2] ^= 4; return d })
				}
			}
			o := options()
			o.Full = true
			log := warnings(&o)
			next := begin(t, openLedger(t, killed, o))
			if next.Mark() != test.want {
				t.Errorf("mark: got %q, want %q", next.Mark(), test.want)
			}
			if warned := strings.Contains(log.String(), "progress was damaged"); warned != (test.damaged != nil) {
				t.Errorf("warned: got %t: %s", warned, log)
			}
			for i := range 3 {
				if key(i) > next.Mark() {
					reserve(t, next, key(i)).Record(entry(key(i), "1"))
				}
			}
			flush(t, next)
			commit(t, next)
			if got := etags(t, killed); len(got) != 3 {
				t.Errorf("entries: got %v, want 3", got)
			}
		})
	}
}

func TestLaterFormatIsNotDamage(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	story(t, memory)
	name := mapping + "/manifest-0000000002.json"
	// printf '{"version":3}' | sha256sum
	later := `{"sha256":"9af23cea10a478f3bb916ff35c07a36debe444adf9b56814ab63861ec674ab8b","record":{"version":3}}` + "\n"
	memory.Damage(name, func([]byte) []byte { return []byte(later) })
	_, err := checkpoint.Open(t.Context(), memory, options())
	if version, ok := errors.AsType[*store.VersionError](err); !ok || version.Name != name {
		t.Errorf("open: got %v, want a VersionError of %s", err, name)
	}
	if _, err := record.Latest(t.Context(), memory, mapping); !strings.Contains(fmt.Sprint(err), "newer syncd") {
		t.Errorf("latest: got %v, want a VersionError", err)
	}
}

func TestFailedSweepIsRepeated(t *testing.T) {
	t.Parallel()
	store := &checkpointtest.Faulty{Store: checkpointtest.NewMemory()}
	store.Before = func(operation, _ string) error {
		if operation == "delete" {
			return checkpointtest.ErrBroken
		}
		return nil
	}
	o := options()
	o.KeepGenerations = 1
	log := warnings(&o)
	ledger := openLedger(t, store, o)
	for n := range 3 {
		pass := begin(t, ledger)
		reserve(t, pass, "a").Record(entry("a", fmt.Sprint(n)))
		commit(t, pass)
	}
	if !strings.Contains(log.String(), "old records were not all deleted") {
		t.Errorf("log: got %q, want a warning", log)
	}
	store.Before = nil
	carryRest(t, begin(t, ledger), nil)
	if names, _ := store.List(t.Context(), ""); len(names) != 2 {
		t.Errorf("after a sweep that works: got %q, want a chunk and a manifest", names)
	}
}
