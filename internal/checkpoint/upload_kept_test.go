package checkpoint_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// keptUpload begins an upload with the given ID, keeps the upload for a later pass, and quarantines
// the object of key.
func keptUpload(t *testing.T, pass *solo, key, id string) {
	t.Helper()
	slot := reserve(t, pass, key)
	uploadBegan(t, slot, upload(key, id))
	if !slot.UploadKept() {
		t.Fatalf("upload %s of %q is not kept", id, key)
	}
	slot.Quarantine(setAsideLike(upload(key, id)), nil)
}

func wantKept(t *testing.T, pass *solo, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, ids(pass.KeptUploads())); diff != "" {
		t.Errorf("kept uploads (-want +got):\n%s", diff)
	}
}

// wantOffered checks which upload a slot is offered, "" for none, and returns the slot.
func wantOffered(t *testing.T, pass *solo, key, want string) *checkpoint.Slot {
	t.Helper()
	slot := reserve(t, pass, key)
	u, ok := slot.Upload()
	if ok != (want != "") || ok && u != upload(key, want) {
		t.Errorf("key %q: offered %+v, %t, want upload %q unchanged", key, u, ok, want)
	}
	return slot
}

// TestUploadIsKeptAcrossACommit checks that several passes can resume and keep the upload of an
// object that they quarantine, until the upload ends.
func TestUploadIsKeptAcrossACommit(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	for range 3 {
		ledger := openLedger(t, memory, options())
		pass := begin(t, ledger)
		if pass.Number() == 1 {
			keptUpload(t, pass, "a", "1")
		} else {
			slot := wantOffered(t, pass, "a", "1")
			uploadBegan(t, slot, upload("a", "1"))
			if !slot.UploadKept() {
				t.Error("got false, want the upload kept again")
			}
			slot.Quarantine(quarantined("a", `"1"`), nil)
		}
		wantLeft(t, pass)
		wantKept(t, pass, "1")
		commit(t, pass)
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	}
	ledger := openLedger(t, memory, options())
	pass := begin(t, ledger)
	slot := wantOffered(t, pass, "a", "1")
	uploadBegan(t, slot, upload("a", "1"))
	slot.UploadEnded()
	slot.Record(entry("a", "1"))
	commit(t, pass)
	pass = begin(t, ledger)
	wantLeft(t, pass)
	wantOffered(t, pass, "a", "").Carry(entry("a", "1"))
	if n := len(ledger.Manifest().Uploads); n != 0 {
		t.Errorf("the generation names %d uploads, want none", n)
	}
}

// setAsideLike returns a quarantine row for the upload's source version.
func setAsideLike(u record.Upload) record.Quarantined {
	q := quarantined(u.Key, u.Source.ETag)
	q.Source = u.Source
	return q
}

// TestUploadThatWasKept checks what happens to a kept upload for each way of settling its key in
// the next pass.
func TestUploadThatWasKept(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		between       func(*checkpointtest.Memory, *checkpoint.Options)
		settle        func(*testing.T, *solo)
		offered, left string
		kept          []string
	}{
		"tried, and ended": {settle: func(t *testing.T, p *solo) {
			t.Helper()
			slot := wantOffered(t, p, "b", "b")
			slot.UploadEnded()
			slot.Record(entry("b", "1"))
		}},
		"tried, and left": {settle: func(t *testing.T, p *solo) {
			t.Helper()
			wantOffered(t, p, "b", "b").Record(entry("b", "1"))
		}, left: "b"},
		"another holder": {
			between: func(m *checkpointtest.Memory, _ *checkpoint.Options) { m.TakeLease(mapping) },
			settle: func(t *testing.T, p *solo) {
				t.Helper()
				wantOffered(t, p, "b", "b").Drop()
			}, left: "b",
		},
		"not due": {settle: func(t *testing.T, p *solo) {
			t.Helper()
			reserve(t, p, "b").Hold(setAsideLike(upload("b", "b")), nil)
		}, kept: []string{"b"}},
		"gone from the source": {settle: func(t *testing.T, p *solo) { t.Helper(); reserve(t, p, "b").Drop() }, left: "b"},
		"not due, and a pass of other settings in between": {
			between: func(_ *checkpointtest.Memory, o *checkpoint.Options) { o.Fingerprint = "other" },
			settle: func(t *testing.T, p *solo) {
				t.Helper()
				wantOffered(t, p, "b", "b").Hold(setAsideLike(upload("b", "b")), nil)
			}, kept: []string{"b"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			memory, o := checkpointtest.NewMemory(), options()
			ledger := openLedger(t, memory, o)
			first := begin(t, ledger)
			keptUpload(t, first, "b", "b")
			commit(t, first)
			if tt.between != nil {
				tt.between(memory, &o)
			}
			if o.Fingerprint != options().Fingerprint {
				if err := ledger.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if tt.between != nil {
				ledger = openLedger(t, memory, o)
			}
			pass := begin(t, ledger)
			tt.settle(t, pass)
			if tt.left == "" {
				wantLeft(t, pass)
			} else {
				wantLeft(t, pass, tt.left)
			}
			wantKept(t, pass, tt.kept...)
			commit(t, pass)
			if diff := cmp.Diff(tt.kept, ids(ledger.Manifest().Uploads)); diff != "" {
				t.Errorf("uploads of the generation (-want +got):\n%s", diff)
			}
		})
	}
}

// TestKeptUploadOfAnInterruptedPass resumes a pass between two objects with kept uploads. It checks
// that the upload below the mark stays kept, and that the upload above the mark is offered again.
func TestKeptUploadOfAnInterruptedPass(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	pass := begin(t, openLedger(t, memory, options()))
	keptUpload(t, pass, "a", "a")
	reserve(t, pass, "b") // unsettled
	keptUpload(t, pass, "c", "c")
	flush(t, pass)
	wantSaved(t, memory, "a", "c")
	memory.TakeLease(mapping)
	ledger := openLedger(t, memory, options())
	pass = begin(t, ledger)
	if pass.Mark() != "a" {
		t.Fatalf("got mark %q, want a", pass.Mark())
	}
	wantKept(t, pass, "a")
	wantLeft(t, pass, "c")
	reserve(t, pass, "b").Record(entry("b", "1"))
	slot := wantOffered(t, pass, "c", "c")
	uploadBegan(t, slot, upload("c", "c"))
	slot.UploadEnded()
	slot.Record(entry("c", "1"))
	commit(t, pass)
	wantOffered(t, begin(t, ledger), "a", "a")
}

// TestUploadsAreNotKeptWithoutBound checks that UploadKept keeps at most 1000 uploads, and returns
// false for a slot without an upload.
func TestUploadsAreNotKeptWithoutBound(t *testing.T) {
	t.Parallel()
	pass := begin(t, openLedger(t, checkpointtest.NewMemory(), options()))
	if reserve(t, pass, "0").UploadKept() {
		t.Error("kept an upload of a slot that has none")
	}
	kept := 0
	for i := range 1100 {
		k := fmt.Sprintf("k%04d", i)
		slot := reserve(t, pass, k)
		uploadBegan(t, slot, smallUpload(k, k))
		if slot.UploadKept() {
			kept++
		}
	}
	if kept != 1000 || len(pass.KeptUploads()) != kept {
		t.Errorf("got %d kept and %d named, want 1000", kept, len(pass.KeptUploads()))
	}
}
