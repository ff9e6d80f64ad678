//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/syncer/deletion"
)

// TestForeignObjectsAreNotDeleted overwrites a copy, and puts an object next to the copies. It checks
// that neither is deleted when the source objects are gone.
func TestForeignObjectsAreNotDeleted(t *testing.T) {
	deleting(t, 3, func(t *testing.T, w *world) {
		w.source.Delete(name(1))
		for _, key := range []string{name(1), name(5)} {
			w.destination.Put(key, awsfake.BytesBody([]byte("of another writer")), awsfake.PutOptions{})
		}
		w.hour(t, 0)
		if got := w.hour(t, 0); got.Deleted != 0 || got.Undeleted["overwritten"] != 1 {
			t.Errorf("got %+v, want one copy overwritten", got)
		}
		if got := w.hour(t, 0); len(got.Requests) != 1 {
			t.Errorf("got %v, want only a listing", got.Requests)
		}
		if got := w.destination.Keys(); !slices.Equal(got, []string{name(0), name(1), name(2), name(5)}) {
			t.Errorf("got %q, want all objects", got)
		}
	})
}

// foreign puts an object of another writer at the destination, encrypted with the key of the copies, as
// the default encryption of the bucket does.
func (w *world) foreign(key string) {
	w.destination.SetEncryption(w.key.ARN(), true)
	w.destination.Put(key, awsfake.BytesBody([]byte("of another writer")), awsfake.PutOptions{})
}

// wantForeign checks that an object of another writer is still the last version under its key.
func (w *world) wantForeign(t *testing.T, key string) {
	t.Helper()
	if content, err := w.destination.Read(key); err != nil || string(content) != "of another writer" {
		t.Errorf("%s: got %q, %v, want the object of the other writer", key, content, err)
	}
}

// TestForeignObjectsUnderClaims puts objects of another writer under keys that a killed process was deleting
// or copying, or between them. It checks that they are neither deleted, nor overwritten when the source
// object is back.
func TestForeignObjectsUnderClaims(t *testing.T) {
	for label, tt := range map[string]struct {
		operation, key string
		lost, back     bool
	}{
		"killed while it deletes the key":      {operation: "DeleteObjects", key: name(1)},
		"lost answer to a delete of the key":   {operation: "DeleteObjects", key: name(1), lost: true},
		"killed while it deletes the keys":     {operation: "DeleteObjects", key: name(1) + "-foreign"},
		"killed while it copies other keys":    {operation: "CopyObject", key: name(1) + "-foreign"},
		"killed while it deletes, object back": {operation: "DeleteObjects", key: name(1), back: true},
	} {
		for _, lists := range []bool{false, true} {
			t.Run(fmt.Sprint(label, ", lists ", lists), func(t *testing.T) {
				deleting(t, 10, func(t *testing.T, w *world) {
					if !lists {
						w.options.Destination = nil
					}
					if tt.operation == "CopyObject" {
						w.put(name(0))
						w.put(name(3))
					} else {
						w.source.Delete(name(1))
						w.source.Delete(name(2))
						w.hour(t, 0)
					}
					if tt.lost {
						stop := w.cloud.Inject(awsfake.Fault{Operation: tt.operation, Kind: awsfake.LoseAnswer})
						w.hours(t, "folder", 1)
						stop()
					} else {
						w.killedAt(t, "folder", tt.operation, "", nil)
					}
					time.Sleep(time.Minute)
					w.foreign(tt.key)
					w.hours(t, "folder", 1)
					if tt.back {
						w.put(tt.key)
					}
					w.hours(t, "folder", 5)
					w.wantForeign(t, tt.key)
				})
			})
		}
	}
}

// TestAdoptedCopiesAreKept adopts objects that existed at the destination before, one of which changes
// later. It checks that only the copy that syncd wrote is deleted when the source objects are gone.
func TestAdoptedCopiesAreKept(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Delete = deletion.Settings{After: 1, MaxObjects: 1000, MaxPercent: 100}
		w.fill(3)
		w.destination.SetEncryption(w.key.ARN(), true)
		for i := range 2 {
			w.destination.Put(name(i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
		}
		if got := w.hour(t, 0); got.Adopted != 2 {
			t.Fatalf("got %+v, want two copies adopted", got)
		}
		w.source.Put(name(1), awsfake.BytesBody([]byte("changed")), awsfake.PutOptions{})
		w.hour(t, 0)
		w.source.Delete(name(0))
		w.source.Delete(name(1))
		if got := w.hour(t, 0); got.Deleted != 1 || got.Kept != 1 {
			t.Errorf("got %+v, want the copy that syncd wrote deleted", got)
		}
		w.wantCopies(t, name(0), name(2))
	})
}
