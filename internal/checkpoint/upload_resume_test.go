package checkpoint_test

import (
	"fmt"
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
)

// TestUploadIsOffered interrupts a pass with uploads in progress. It checks which uploads the next
// pass is offered, for different ways of beginning it.
func TestUploadIsOffered(t *testing.T) {
	t.Parallel()
	damageLast := func(t *testing.T, memory *checkpointtest.Memory, prefix string) {
		t.Helper()
		names, err := memory.List(t.Context(), mapping+"/"+prefix)
		if err != nil || len(names) == 0 {
			t.Fatalf("list: %q, %v", names, err)
		}
		memory.Damage(names[len(names)-1], func(d []byte) []byte { d[len(d)/2] ^= 4; return d })
	}
	for _, test := range []struct {
		name    string
		between func(*testing.T, *checkpointtest.Memory, *checkpoint.Options)
		mark    string
		offered string
		left    []string
	}{
		{"resumed", func(*testing.T, *checkpointtest.Memory, *checkpoint.Options) {}, "a", "c2", []string{"b", "c1", "c2"}},
		{"taken over", func(_ *testing.T, m *checkpointtest.Memory, _ *checkpoint.Options) { m.TakeLease(mapping) }, "a", "c2", []string{"b", "c1", "c2"}},
		{
			"other settings", func(_ *testing.T, _ *checkpointtest.Memory, o *checkpoint.Options) { o.Fingerprint = "other" },
			"", "",
			[]string{"b", "c1", "c2"},
		},
		{
			"a chunk damaged: the pass starts over, the uploads are known", func(t *testing.T, m *checkpointtest.Memory, _ *checkpoint.Options) {
				t.Helper()
				damageLast(t, m, "chunk-0000000003")
			}, "", "c2", []string{"b", "c1", "c2"},
		},
		{
			"the record damaged: the one before is as good as there is", func(t *testing.T, m *checkpointtest.Memory, _ *checkpoint.Options) {
				t.Helper()
				damageLast(t, m, "progress-")
			}, "a", "c1", []string{"b", "c1"},
		},
		{
			"the base damaged", func(t *testing.T, m *checkpointtest.Memory, _ *checkpoint.Options) {
				t.Helper()
				damageLast(t, m, "manifest-")
			}, "", "c2", []string{"b", "c1", "c2"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			memory := checkpointtest.NewMemory()
			o := options()
			ledger := openLedger(t, memory, o)
			for range 2 {
				recordAll(t, ledger, "a", "b", "c")
			}
			pass := begin(t, ledger)
			reserve(t, pass, "a").Record(entry("a", "2"))
			uploadBegan(t, reserve(t, pass, "b"), smallUpload("b", "b"))
			slot := reserve(t, pass, "c")
			uploadBegan(t, slot, smallUpload("c", "c1"))
			ended := reserve(t, pass, "d")
			uploadBegan(t, ended, smallUpload("d", "d"))
			ended.UploadEnded()
			flush(t, pass)
			later := upload("c", "c2")
			later.BeganAt = epoch.Add(time.Minute)
			uploadBegan(t, slot, later)

			killed := memory.Clone()
			o.Full = true
			test.between(t, killed, &o)
			next := begin(t, openLedger(t, killed, o))
			wantLeft(t, next, test.left...)
			if next.Mark() != test.mark {
				t.Errorf("mark: got %q, want %q", next.Mark(), test.mark)
			}
			for e, err := range next.Previous(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				slot := reserve(t, next, e.Key)
				if got, ok := slot.Upload(); e.Key == "c" && (got.ID != test.offered || ok != (test.offered != "")) {
					t.Errorf("upload of %q: got %+v, %t, want %q", e.Key, got, ok, test.offered)
				}
				slot.Carry(e)
			}
			wantLeft(t, next, test.left...)
			flush(t, next)
			for _, u := range next.LeftUploads() {
				next.UploadAborted(u.ID)
			}
			wantLeft(t, next)
			flush(t, next)
			commit(t, next)
		})
	}
}

// TestUploadIsTakenOver checks the recorded uploads for slots that resume the upload of another
// process, and for slots that do not.
func TestUploadIsTakenOver(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	first := begin(t, openLedger(t, memory, options()))
	for _, k := range []string{"a", "b", "c", "d", "vanished"} {
		uploadBegan(t, reserve(t, first, k), upload(k, k+"1"))
	}
	memory.TakeLease(mapping)
	store, created := counting(memory)
	ledger := openLedger(t, store, options())
	pass := begin(t, ledger)
	wantLeft(t, pass, "a1", "b1", "c1", "d1", "vanished1")
	slots := map[string]*checkpoint.Slot{}
	for _, k := range []string{"a", "b", "c", "d"} {
		slots[k] = reserve(t, pass, k)
		u, ok := slots[k].Upload()
		if want := upload(k, k+"1"); !ok || u != want {
			t.Fatalf("upload: got %+v, %t, want %+v", u, ok, want)
		}
	}
	*created = nil
	uploadBegan(t, slots["a"], upload("a", "a1"))
	if _, ok := slots["a"].Upload(); ok || len(*created) != 0 {
		t.Errorf("taken over: offered again %t, created %q, want neither", ok, *created)
	}
	slots["b"].UploadEnded() // the upload no longer exists
	uploadBegan(t, slots["c"], upload("c", "c2"))
	wantLeft(t, pass, "c1", "d1", "vanished1")
	wantSaved(t, memory, "a1", "c1", "c2", "d1", "vanished1")
	for _, k := range []string{"a", "b", "c", "d"} {
		slots[k].Record(entry(k, "1"))
	}
	wantLeft(t, pass, "c1", "d1", "vanished1")
	pass.UploadAborted("c1")
	pass.UploadAborted("no such upload")
	flush(t, pass)
	wantSaved(t, memory, "d1", "vanished1")
	commit(t, pass)
	wantLeft(t, begin(t, ledger))
}

// TestUploadsOfOtherSettingsAreNeverOffered checks, with settings that change twice and change
// back, that uploads begun under other settings are not offered.
func TestUploadsOfOtherSettingsAreNeverOffered(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	var want []string
	for i, fingerprint := range []string{"one", "two", "three", "one"} {
		o := options()
		o.Fingerprint = fingerprint
		ledger := openLedger(t, memory, o)
		pass := begin(t, ledger)
		wantLeft(t, pass, want...)
		slot := reserve(t, pass, "a")
		if u, ok := slot.Upload(); ok {
			t.Errorf("under %q: offered %+v, want nothing of other settings", fingerprint, u)
		}
		id := fmt.Sprint(i)
		u := upload("a", id)
		u.BeganAt = epoch.Add(time.Duration(i) * time.Minute)
		uploadBegan(t, slot, u)
		wantSaved(t, memory, append(want, id)...)
		want = append(want, id)
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUploadsOfAFencedHolder checks that the next holder finds the uploads of a fenced holder, and
// that the holder after that finds the uploads of both.
func TestUploadsOfAFencedHolder(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	var want []string
	for _, k := range []string{"a", "b", "c"} {
		memory.TakeLease(mapping)
		pass := begin(t, openLedger(t, memory, options()))
		wantLeft(t, pass, want...)
		uploadBegan(t, reserve(t, pass, k), upload(k, k))
		want = append(want, k)
	}
	memory.TakeLease(mapping)
	pass := begin(t, openLedger(t, memory, options()))
	wantLeft(t, pass, want...)
	commit(t, pass)
	if names, err := memory.List(t.Context(), mapping+"/progress-"); err != nil || len(names) != 0 {
		t.Errorf("after the commit: got %q, %v, want no progress", names, err)
	}
}
