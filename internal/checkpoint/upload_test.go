package checkpoint_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/transfer"
)

const large64 = 64 << 20 // the default of Options.UploadBytes

// upload returns an upload under key that is large enough to be saved at once.
func upload(key, id string) record.Upload {
	return record.Upload{
		Key: key, Bucket: "bob-staging", DestinationKey: "alice/" + key, ID: id,
		Source: transfer.Version{ETag: `"1"`, Size: large64, LastModified: epoch}, PartSize: 16 << 20, Relay: true, BeganAt: epoch,
	}
}

// smallUpload returns an upload that is saved with the next flush.
func smallUpload(key, id string) record.Upload {
	u := upload(key, id)
	u.Source.Size = large64 - 1
	return u
}

func uploadBegan(t *testing.T, slot *checkpoint.Slot, u record.Upload) {
	t.Helper()
	if err := slot.UploadBegan(t.Context(), u); err != nil {
		t.Fatalf("upload began: %v", err)
	}
}

func ids(uploads []record.Upload) (all []string) {
	for _, u := range uploads {
		all = append(all, u.ID)
	}
	return all
}

func wantLeft(t *testing.T, pass *solo, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, ids(pass.LeftUploads())); diff != "" {
		t.Errorf("left uploads (-want +got):\n%s", diff)
	}
}

// wantSaved checks which uploads the last progress record names.
func wantSaved(t *testing.T, store store.Store, want ...string) {
	t.Helper()
	progress, _, err := record.Unfinished(t.Context(), store, mapping)
	if err != nil {
		t.Fatalf("unfinished: %v", err)
	}
	if diff := cmp.Diff(want, ids(progress.Uploads)); diff != "" {
		t.Errorf("saved uploads (-want +got):\n%s", diff)
	}
}

func TestUploadIsSavedByItsSize(t *testing.T) {
	t.Parallel()
	store, created := counting(checkpointtest.NewMemory())
	pass := begin(t, openLedger(t, store, options()))
	reserve(t, pass, "a").Record(entry("a", "1"))
	hole := reserve(t, pass, "b\xff\\")
	small := smallUpload("c", "small")
	uploadBegan(t, reserve(t, pass, "c"), small)
	if len(*created) != 0 {
		t.Errorf("after a small upload: created %q, want nothing yet", *created)
	}
	u := upload("b\xff\\", "large")
	u.BeganAt = epoch.Add(123 * time.Nanosecond).In(time.FixedZone("", 3600))
	uploadBegan(t, hole, u)
	if diff := cmp.Diff([]string{"progress-0000000001-0000000001.json"}, *created); diff != "" {
		t.Errorf("after a large upload: records created (-want +got):\n%s", diff)
	}
	progress, ok, err := record.Unfinished(t.Context(), store, mapping)
	if err != nil || !ok {
		t.Fatalf("unfinished: %t, %v", ok, err)
	}
	if len(progress.Settled) > 0 || len(progress.Runs) > 0 {
		t.Errorf("settled: got %v, want none: entries wait for the next flush", progress.Settled)
	}
	u.BeganAt = epoch
	if diff := cmp.Diff([]record.Upload{u, small}, progress.Uploads); diff != "" {
		t.Errorf("uploads (-want +got):\n%s", diff)
	}
	uploadBegan(t, hole, u) // already known
	if len(*created) != 1 {
		t.Errorf("after the same upload again: created %q, want nothing more", *created)
	}
	flush(t, pass)
	wantSaved(t, store, "large", "small")
	if got := begin(t, openLedger(t, store.Store.(*checkpointtest.Memory).Clone(), options())).Mark(); got != "a" {
		t.Errorf("mark after a flush: got %q, want a", got)
	}
}

func TestUploadBytesIsAnOption(t *testing.T) {
	t.Parallel()
	store, created := counting(checkpointtest.NewMemory())
	o := options()
	o.UploadBytes = 100
	pass := begin(t, openLedger(t, store, o))
	u := upload("a", "1")
	u.Source.Size = 100
	uploadBegan(t, reserve(t, pass, "a"), u)
	u = upload("b", "2")
	u.Source.Size = 99
	uploadBegan(t, reserve(t, pass, "b"), u)
	if len(*created) != 1 {
		t.Errorf("created %q, want one record for the upload of 100 bytes", *created)
	}
}

// TestUploadEnds checks which uploads are saved after each way of settling the slot or ending the
// upload.
func TestUploadEnds(t *testing.T) {
	t.Parallel()
	base := entry("b", "1")
	aside := quarantined("b", "1")
	for _, test := range []struct {
		name  string
		end   func(*checkpoint.Slot)
		saved []string
	}{
		{"not at all", func(*checkpoint.Slot) {}, []string{"b"}},
		{"carried", func(s *checkpoint.Slot) { s.Carry(base) }, nil},
		{"recorded", func(s *checkpoint.Slot) { s.Record(entry("b", "2")) }, nil},
		{"quarantined", func(s *checkpoint.Slot) { s.Quarantine(aside, nil) }, nil},
		{"held", func(s *checkpoint.Slot) { s.Hold(aside, &base) }, nil},
		{"dropped", func(s *checkpoint.Slot) { s.Drop() }, nil},
		{"ended", func(s *checkpoint.Slot) { s.UploadEnded() }, nil},
		{"ended twice", func(s *checkpoint.Slot) { s.UploadEnded(); s.UploadEnded() }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			memory := checkpointtest.NewMemory()
			ledger := openLedger(t, memory, options())
			first := begin(t, ledger)
			reserve(t, first, "b").Record(base)
			commit(t, first)
			second := begin(t, ledger)
			reserve(t, second, "b").Quarantine(aside, &base)
			commit(t, second)
			pass := begin(t, ledger)
			reserve(t, pass, "a") // unsettled, so b is not saved
			slot := reserve(t, pass, "b")
			uploadBegan(t, slot, upload("b", "b"))
			test.end(slot)
			flush(t, pass)
			wantSaved(t, memory, test.saved...)
			wantLeft(t, pass)
		})
	}
}

// TestUploadsAreSaved checks that Due, Flush and Abandon take unsaved uploads into account.
func TestUploadsAreSaved(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	o := options()
	clock := epoch
	o.Now = func() time.Time { return clock }
	ledger := openLedger(t, memory, o)
	pass := begin(t, ledger)
	slot := reserve(t, pass, "a")
	wantDue := func(what string, want bool) {
		t.Helper()
		if got := pass.Due(); got != want {
			t.Errorf("%s: due is %t, want %t", what, got, want)
		}
	}
	clock = clock.Add(time.Hour)
	wantDue("nothing", false)
	uploadBegan(t, slot, smallUpload("a", "1"))
	wantDue("an upload", true)
	flush(t, pass)
	wantDue("flushed", false)
	slot.UploadEnded()
	wantDue("it ended at once", false)
	clock = clock.Add(10 * time.Second)
	wantDue("it ended", true)
	uploadBegan(t, slot, upload("a", "2"))
	wantDue("a large one has saved it", false)
	slot.UploadEnded()
	if err := pass.Abandon(t.Context()); err != nil {
		t.Fatalf("abandon: %v", err)
	}
	wantSaved(t, memory)
	wantLeft(t, begin(t, ledger))
}

func TestUploadMisuseFailsThePass(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(*checkpoint.Slot) record.Upload{
		"settled":     func(s *checkpoint.Slot) record.Upload { s.Drop(); return upload("a", "1") },
		"another key": func(*checkpoint.Slot) record.Upload { return upload("b", "1") },
		"without id":  func(*checkpoint.Slot) record.Upload { return upload("a", "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pass := begin(t, openLedger(t, checkpointtest.NewMemory(), options()))
			slot := reserve(t, pass, "a")
			if err := slot.UploadBegan(t.Context(), use(slot)); err == nil || !strings.Contains(err.Error(), "BUG") {
				t.Errorf("got %v, want an error that names the bug", err)
			}
			if err := pass.Flush(t.Context()); err == nil {
				t.Error("flush: got no error from a pass that failed")
			}
		})
	}
}

func TestUploadOfAnEndedPass(t *testing.T) {
	t.Parallel()
	pass := begin(t, openLedger(t, checkpointtest.NewMemory(), options()))
	slot := reserve(t, pass, "a")
	if err := pass.Abandon(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, u := range []record.Upload{upload("a", "1"), smallUpload("a", "2")} {
		if err := slot.UploadBegan(t.Context(), u); !errors.Is(err, checkpoint.ErrPassEnded) {
			t.Errorf("got %v, want %v: the upload would be lost", err, checkpoint.ErrPassEnded)
		}
	}
}

// TestUploadThatCannotBeSaved checks that a failed save of an upload fails the pass, unless the
// context had ended.
func TestUploadThatCannotBeSaved(t *testing.T) {
	t.Parallel()
	broken := true
	store := &checkpointtest.Faulty{Store: checkpointtest.NewMemory(), Before: func(string, string) error {
		if broken {
			return checkpointtest.ErrBroken
		}
		return nil
	}}
	ledger := openLedger(t, store, options())
	pass := begin(t, ledger)
	a, b := reserve(t, pass, "a"), reserve(t, pass, "b")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.UploadBegan(ctx, upload("a", "1")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	broken = false
	uploadBegan(t, b, upload("b", "2"))
	wantSaved(t, store, "1", "2")
	broken = true
	if err := reserve(t, pass, "c").UploadBegan(t.Context(), upload("c", "3")); !errors.Is(err, checkpointtest.ErrBroken) {
		t.Errorf("got %v, want %v", err, checkpointtest.ErrBroken)
	}
	broken = false
	if err := pass.Flush(t.Context()); !errors.Is(err, checkpointtest.ErrBroken) {
		t.Errorf("flush: got %v, want the pass to have failed with %v", err, checkpointtest.ErrBroken)
	}
	wantLeft(t, begin(t, ledger), "1", "2")
}
