//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"errors"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/plan"
	"syncd/internal/report"
	"syncd/internal/syncer/verify"
)

// mend runs a repair, and returns its result without judging it.
func (w *world) mend(t *testing.T, r verify.Request) (v report.Verified, err error) {
	t.Helper()
	w.settle()
	s := w.open(t)
	found, summary, err := s.Repair(t.Context(), r)
	return report.Verified{Report: found, Repair: &summary}, errors.Join(err, s.Close())
}

// TestVerifyNextToAPass replaces or deletes a copy, as a pass does, between its listing and its inspection. It
// checks that the key is unsettled.
func TestVerifyNextToAPass(t *testing.T) {
	for label, change := range map[string]func(t *testing.T, w *world){
		"replaced": func(t *testing.T, w *world) {
			w.source.Put(name(1), awsfake.BytesBody([]byte("new version")), awsfake.PutOptions{})
			w.passes(t, "folder", "second", 0)
		},
		"deleted": func(_ *testing.T, w *world) {
			w.source.Delete(name(1))
			w.destination.Delete(name(1))
		},
	} {
		t.Run(label, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.fill(3)
				w.passes(t, "folder", "first", 0)
				time.Sleep(time.Hour)
				gate, done := make(chan struct{}), make(chan struct{})
				w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Bucket: "consumer-copy", Key: name(1), Times: 1, Kind: awsfake.None, Do: func() { <-gate }})
				var f found
				go func() {
					defer close(done)
					if got := w.verify(t, f.request(1)); got.Unsettled != 1 {
						t.Errorf("got %+v, want one key unsettled", got)
					}
				}()
				time.Sleep(time.Second)
				change(t, w)
				close(gate)
				<-done
				f.want(t, "verify", map[string][]plan.DifferenceKind{})
			})
		})
	}
}

// TestRepairOfACopyDeletedMeanwhile deletes a copy while a repair inspects it. It checks that the object is copied
// again.
func TestRepairOfACopyDeletedMeanwhile(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(3)
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Bucket: "consumer-copy", Key: name(1), Times: 1, Kind: awsfake.None, Do: func() {
			w.destination.Delete(name(1))
		}})
		var f found
		w.repair(t, &f, 0)
		if _, exists := w.destination.Object(name(1)); !exists {
			t.Error("got no copy, want it copied again")
		}
	})
}

// TestVerifyTagsOfAnotherVersion overwrites the source object before its tags are read. It checks that the tags
// are not compared with the copy of the version before.
func TestVerifyTagsOfAnotherVersion(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.source.Put("a", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Tags: map[string]string{"class": "gold"}})
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.cloud.Inject(awsfake.Fault{Operation: "GetObjectTagging", Bucket: "owner-data", Times: 1, Kind: awsfake.None, Do: func() {
			w.source.Put("a", awsfake.BytesBody([]byte("new")), awsfake.PutOptions{Tags: map[string]string{"class": "silver"}})
		}})
		var f found
		w.verify(t, f.request(1))
		f.want(t, "verify", map[string][]plan.DifferenceKind{})
	})
}

// TestVerifyErrorOfOneObject makes the service reject the signature of a request about one object. It checks that
// only that object is unchecked, and that a repair mends the others.
func TestVerifyErrorOfOneObject(t *testing.T) {
	for _, bucket := range []string{"owner-data", "consumer-copy"} {
		bubble(t, func(t *testing.T, w *world) {
			w.fill(5)
			w.passes(t, "folder", "first", 0)
			time.Sleep(time.Hour)
			w.cloud.Inject(awsfake.Fault{Operation: "GetObjectTagging", Bucket: bucket, Key: name(1), Kind: awsfake.BadSignature})
			w.destination.Delete(name(4))
			time.Sleep(time.Minute)
			want := map[string][]plan.DifferenceKind{name(1): kinds(plan.DiffersUnchecked), name(4): kinds(plan.DiffersMissing)}
			var f found
			w.verify(t, f.request(1))
			f.want(t, "verify: "+bucket, want)
			w.repair(t, &f, 0)
			if _, exists := w.destination.Object(name(4)); !exists {
				t.Errorf("%s: got no copy of %s, want it mended", bucket, name(4))
			}
		})
	}
}

// TestRepairReports checks that the result of a repair agrees with the next verification, that an object in
// quarantine is mendable, and that an error of the output is returned.
func TestRepairReports(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(4)
		allow := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(3), Kind: awsfake.NotImplemented})
		w.passes(t, "folder", "first", 3)
		allow()
		w.source.Delete(name(1))
		time.Sleep(time.Minute)
		w.passes(t, "folder", "second", 3)
		w.destination.Delete(name(1)) // a copy that was kept
		time.Sleep(time.Minute)
		var f found
		before := w.verify(t, f.request(0))
		full := errors.New("no space left on device")
		r := f.request(0)
		r.Found = func(plan.Difference) error { return full }
		v, err := w.mend(t, r)
		if !errors.Is(err, full) || v.Mendable != 2 || before.Mendable != 2 || v.Left() != 0 {
			t.Errorf("got %+v, %v, and %+v before, want both differences mended and the error of the output", v.Report, err, before)
		}
		if after := w.verify(t, f.request(0)); after.Total() != 0 {
			t.Errorf("got %+v, want no difference", after)
		}
	})
}

// TestFailedRepairReports runs a repair while another process holds the lease in the middle of a pass. It checks
// that the report contains the error.
func TestFailedRepairReports(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(20)
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		gate, ended := make(chan struct{}), make(chan struct{})
		other := w.start(t, "folder")
		w.put("znew")
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "znew", Kind: awsfake.None, Do: func() { <-gate }})
		go func() {
			defer close(ended)
			if _, err := other.run(t); err != nil {
				t.Errorf("the other pass: %v", err)
			}
		}()
		time.Sleep(5 * time.Minute)
		var f found
		if v, err := w.mend(t, f.request(0)); err == nil || v.Error == "" {
			t.Errorf("got %+v, %v, want an error in both", v.Report, err)
		}
		close(gate)
		<-ended
		other.finish(t)
	})
}
