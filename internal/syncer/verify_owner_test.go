//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/plan"
	"syncd/internal/throttle"
)

// TestRepairDoesNotAdoptOtherContent replaces the copy of an object without a checksum by other content of the same
// size, encrypted with the same key. It checks that a repair does not adopt it because it is newer.
func TestRepairDoesNotAdoptOtherContent(t *testing.T) {
	for _, share := range []float64{0, 1} {
		bubble(t, func(t *testing.T, w *world) {
			w.source.Put("a", awsfake.BytesBody([]byte("the right content")), awsfake.PutOptions{NoChecksum: true})
			w.passes(t, "folder", "first", 0)
			time.Sleep(2 * time.Hour)
			w.destination.Put("a", awsfake.BytesBody([]byte("the wrong content")), awsfake.PutOptions{KeyARN: w.key.ARN()})
			time.Sleep(time.Hour)
			var f found
			want := kinds(plan.DiffersOverwritten)
			if share > 0 {
				want = kinds(plan.DiffersChecksum, plan.DiffersOverwritten)
			}
			w.verify(t, f.request(share))
			f.want(t, "verify", map[string][]plan.DifferenceKind{"a": want})
			if v, err := w.mend(t, f.request(share)); err != nil || v.Repair.Quarantined["foreign"] != 1 {
				t.Errorf("got %+v, %v, want it quarantined as foreign", v.Repair, err)
			}
			time.Sleep(time.Hour)
			if got := w.verify(t, f.request(1)); got.Total() == 0 {
				t.Errorf("got %+v, want the difference found again", got)
			}
		})
	}
}

// TestRepairLeavesOtherAttributes replaces a copy by the same content with the tags of another writer. It checks
// that no deep repair replaces that object unless overwriting is allowed.
func TestRepairLeavesOtherAttributes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.put("a")
		w.passes(t, "folder", "first", 0)
		time.Sleep(2 * time.Hour)
		w.destination.Put("a", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{KeyARN: w.key.ARN(), Tags: map[string]string{"of": "another writer"}})
		time.Sleep(time.Hour)
		var f found
		for range 3 {
			w.repair(t, &f, 3)
			time.Sleep(time.Hour)
		}
		if o, _ := w.destination.Object("a"); o.Tags["of"] != "another writer" {
			t.Errorf("got the tags %v, want those of the other writer", o.Tags)
		}
		w.copies.OverwriteAny, w.options.Rules.OverwriteAny = true, true
		w.repair(t, &f, 0)
		if got := w.verify(t, f.request(1)); got.Total() != 0 {
			t.Errorf("got %+v, %v, want no difference", got, f.all)
		}
	})
}

// TestRepairWithoutConditions replaces a copy on a service that ignores conditions, after the listing and before its
// write. It checks that a repair leaves that object alone, like any pass.
func TestRepairWithoutConditions(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.IgnoreConditions})
		w.copies.ToS3 = func() bool { return false }
		w.options.Turns = throttle.NewLevel(throttle.LevelOptions{Min: 1, Start: 1, Max: 1}).Gate()
		w.fill(3)
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		for i := range 3 {
			w.source.Put(name(i), awsfake.BytesBody([]byte("new version")), awsfake.PutOptions{})
		}
		time.Sleep(time.Hour)
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Times: 1, Kind: awsfake.None, Do: func() {
			time.Sleep(time.Minute)
			w.destination.Put(name(2), awsfake.BytesBody([]byte("of another writer")), awsfake.PutOptions{})
		}})
		var f found
		if v, err := w.mend(t, f.request(0)); err != nil || v.Repair.Exit != 3 {
			t.Errorf("got %+v, %v, want exit 3", v.Repair, err)
		}
		if body, _ := w.destination.Read(name(2)); string(body) != "of another writer" {
			t.Errorf("got %q, want the object of the other writer", body)
		}
	})
}

// TestVerifyFormerCopies quarantines an object whose former copy still exists, and then deletes or excludes its
// source. It checks that the copy is not taken for a foreign object, and that an object under the prefix itself is.
func TestVerifyFormerCopies(t *testing.T) {
	for label, leave := range map[string]func(w *world){
		"gone":     func(w *world) { w.source.Delete("excluded") },
		"excluded": func(w *world) { w.options.Rules.Filter = plan.Filter{Exclude: []plan.Pattern{excluded{}}} },
	} {
		t.Run(label, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.copies.DestinationPlace.Prefix = "backup/"
				there := w.live
				there.Place = w.copies.DestinationPlace
				w.options.Destination = there
				w.fill(3)
				w.put("excluded")
				w.passes(t, "folder", "first", 0)
				time.Sleep(time.Hour)
				w.source.Put("excluded", awsfake.BytesBody([]byte("new version")), awsfake.PutOptions{})
				allow := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "backup/excluded", Kind: awsfake.NotImplemented})
				w.passes(t, "folder", "second", 3)
				allow()
				time.Sleep(time.Hour)
				leave(w)
				w.destination.Put("backup/", awsfake.BytesBody([]byte("of another writer")), awsfake.PutOptions{})
				time.Sleep(time.Minute)
				want := map[string][]plan.DifferenceKind{"": kinds(plan.DiffersForeign)}
				var f found
				w.verify(t, f.request(0))
				f.want(t, "verify", want)
				if v, err := w.mend(t, f.request(0)); err != nil || v.Left() != 1 {
					t.Errorf("got %+v, %v, want one difference left", v.Report, err)
				}
				w.verify(t, f.request(0))
				f.want(t, "after the repair", want)
			})
		})
	}
}

// TestVerifyHiddenMetadata verifies a copy whose source has metadata that headers cannot show.
func TestVerifyHiddenMetadata(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.source.Put("a", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Metadata: map[string]string{"odd": "a\x01b"}})
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		var f found
		w.verify(t, f.request(1))
		f.want(t, "verify", map[string][]plan.DifferenceKind{})
	})
}

// TestRepairInspectsOnce replaces a copy by the same object, and denies the tags of copies. It checks that a repair
// inspects it once.
func TestRepairInspectsOnce(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.put("a")
		w.passes(t, "folder", "first", 0)
		time.Sleep(2 * time.Hour)
		w.destination.Put("a", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{KeyARN: w.key.ARN()})
		time.Sleep(time.Hour)
		w.cloud.Inject(awsfake.Fault{Operation: "GetObjectTagging", Bucket: "consumer-copy", Kind: awsfake.AccessDenied})
		var f found
		if v, err := w.mend(t, f.request(1)); err != nil || v.Inspected != 1 {
			t.Errorf("got %+v, %v, want one copy inspected", v.Report, err)
		}
		f.want(t, "repair", map[string][]plan.DifferenceKind{"a": kinds(plan.DiffersOverwritten, plan.DiffersUnchecked)})
	})
}
