//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/store"
	"syncd/internal/plan"
	"syncd/internal/syncer"
)

// TestRepairLeavesForeignObjects kills a pass while the destination cannot be listed, so that its claim stays.
// Much later another writer replaces a copy and takes a key. It checks that a repair, like any pass,
// quarantines both, also if they are encrypted with the key of the copies.
func TestRepairLeavesForeignObjects(t *testing.T) {
	for _, arn := range []string{"", "the key of the copies"} {
		bubble(t, func(t *testing.T, w *world) {
			w.fill(5)
			w.passes(t, "folder", "first", 0)
			time.Sleep(time.Hour)
			allow := w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "consumer-copy", Kind: awsfake.AccessDenied})
			w.put("znew")
			w.killedAt(t, "folder", "CopyObject", "", nil)
			for range 3 {
				time.Sleep(time.Hour)
				w.passes(t, "folder", "denied", 0)
			}
			allow()
			time.Sleep(240 * time.Hour)
			if arn != "" {
				arn = w.key.ARN()
			}
			w.destination.Put(name(1), awsfake.BytesBody([]byte("of another writer")), awsfake.PutOptions{KeyARN: arn})
			time.Sleep(time.Hour)
			var f found
			w.options.Store = w.store(t)
			w.repair(t, &f, 3)
			w.wantForeign(t, name(1))
		})
	}
}

// TestVerifyAfterAKill damages copies that a killed pass had claimed. It checks that the damages are found
// before and after the next pass, and mended by a repair.
func TestVerifyAfterAKill(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(50)
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.put("znew")
		w.killedAt(t, "folder", "CopyObject", "", nil)
		time.Sleep(time.Hour)
		w.destination.Delete(name(1))
		w.tag(t, name(3))
		time.Sleep(time.Hour)
		var f found
		want := map[string][]plan.DifferenceKind{name(1): kinds(plan.DiffersMissing), name(3): kinds(plan.DiffersTags)}
		w.options.Store = w.store(t)
		if got := w.verify(t, f.request(1)); got.Unsettled != 1 || got.Intact != 49 {
			t.Errorf("got %+v, want only the new object unsettled", got)
		}
		f.want(t, "after the kill", want)
		w.repair(t, &f, 0)
		f.want(t, "repair", want)
		if got := w.verify(t, f.request(1)); got.Total() != 0 || got.Intact != 51 {
			t.Errorf("got %+v, want all intact", got)
		}
	})
}

// TestVerifyWithoutACopy verifies an object whose key is too long at the destination, an excluded object
// whose key another writer has taken, and a kept copy that was deleted. It checks that each is named, and
// that the lost copy is named once.
func TestVerifyWithoutACopy(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.copies.DestinationPlace.Prefix = "p/"
		there := w.live
		there.Place = w.copies.DestinationPlace
		w.options.Destination = there
		w.options.Rules.Filter = plan.Filter{Exclude: []plan.Pattern{excluded{}}}
		long := strings.Repeat("k", 1024)
		for _, key := range []string{"excluded", "gone", "intact", long} {
			w.put(key)
		}
		w.passes(t, "folder", "first", 3)
		w.source.Delete("gone")
		w.destination.Put("p/excluded", awsfake.BytesBody([]byte("y")), awsfake.PutOptions{})
		time.Sleep(time.Hour)
		w.passes(t, "folder", "second", 3)
		w.destination.Delete("p/gone")
		time.Sleep(time.Hour)
		want := map[string][]plan.DifferenceKind{"excluded": kinds(plan.DiffersForeign), "gone": kinds(plan.DiffersMissing), long: kinds(plan.DiffersQuarantined)}
		var f found
		if got := w.verify(t, f.request(0)); got.Kept != 0 || got.Intact != 1 {
			t.Errorf("got %+v, want one copy intact and none kept", got)
		}
		f.want(t, "verify", want)
		w.repair(t, &f, 3)
		delete(want, "gone")
		w.verify(t, f.request(0))
		f.want(t, "after the repair", want)
	})
}

// excluded matches one key.
type excluded struct{}

func (excluded) Match(key string) bool { return key == "excluded" }

// TestVerifyShortenedRetention verifies a copy whose retention was shortened when it was made, when the rest of
// the source's retention would no longer be shortened, and once that has expired.
func TestVerifyShortenedRetention(t *testing.T) {
	const day = 24 * time.Hour
	bubble(t, func(t *testing.T, w *world) {
		w.copyLocks(30 * day)
		there := w.live
		there.Place = w.copies.DestinationPlace
		w.options.Destination = there
		lock := awsfake.Lock{Mode: awsfake.Governance, Until: time.Now().Add(100 * day).Truncate(time.Second)}
		w.source.Put("a", awsfake.BytesBody([]byte("a")), awsfake.PutOptions{Lock: lock})
		if s, err := w.pass(t); err != nil || s.Exit != 0 {
			t.Fatal(s, err)
		}
		for _, after := range []time.Duration{10 * day, 65 * day, 100 * day} {
			time.Sleep(after)
			var f found
			w.verify(t, f.request(1))
			f.want(t, after.String(), map[string][]plan.DifferenceKind{})
		}
	})
}

// TestVerifyWhileAPassCommits commits a pass of another process between two reads of the ledger. It checks that
// its copies are not taken for objects of other writers.
func TestVerifyWhileAPassCommits(t *testing.T) {
	for at := 1; at <= 5; at++ {
		bubble(t, func(t *testing.T, w *world) {
			w.fill(20)
			w.passes(t, "folder", "first", 0)
			time.Sleep(time.Hour)
			for i := range 10 {
				w.source.Put(name(i), awsfake.BytesBody([]byte("yy")), awsfake.PutOptions{})
			}
			w.put("znew")
			gate, ended := make(chan struct{}), make(chan struct{})
			w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "znew", Kind: awsfake.None, Do: func() { <-gate }})
			other := w.start(t, "folder")
			go func() {
				defer close(ended)
				if _, err := other.run(t); err != nil {
					t.Errorf("the other pass: %v", err)
				}
				other.finish(t)
			}()
			time.Sleep(time.Minute)
			between := &betweenReads{Store: w.store(t), at: at, do: func() { close(gate); <-ended }}
			w.options.Store = between
			var f found
			w.verify(t, f.request(0))
			f.want(t, "verify", map[string][]plan.DifferenceKind{})
			if between.lists < at {
				between.do()
			}
		})
	}
}

// betweenReads is a store that calls do before one of its listings.
type betweenReads struct {
	store.Store
	lists, at int
	do        func()
}

func (b *betweenReads) List(ctx context.Context, prefix string) ([]string, error) {
	if b.lists++; b.lists == b.at {
		b.do()
	}
	return b.Store.List(ctx, prefix)
}

// TestRepairOfSameBytes replaces a copy with the same bytes under the same key, but without its tags. It checks
// that a deep repair does not adopt such an object. If overwriting is allowed, a repair replaces it.
func TestRepairOfSameBytes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.source.Put("a", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Tags: map[string]string{"class": "gold"}})
		w.copies.BucketKey = true
		if s, err := w.pass(t); err != nil || s.Exit != 0 {
			t.Fatal(s, err)
		}
		time.Sleep(2 * time.Hour)
		w.destination.SetEncryption(w.key.ARN(), true)
		w.destination.Put("a", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
		time.Sleep(time.Hour)
		var f found
		w.repair(t, &f, 3)
		if got := f.all["a"]; !slices.Equal(got, kinds(plan.DiffersOverwritten, plan.DiffersTags)) {
			t.Errorf("got %q, want it overwritten and without its tags", got)
		}
		w.copies.OverwriteAny, w.options.Rules.OverwriteAny = true, true
		w.repair(t, &f, 0)
		if got := w.verify(t, f.request(1)); got.Total() != 0 {
			t.Errorf("got %+v, %v, want no difference", got, f.all)
		}
	})
}

// TestRepairInspectsWhatItAdopts puts an object with the content of a source object and other tags in place of
// a missing copy. It checks that a repair does not adopt the object, and replaces it only if overwriting is allowed.
func TestRepairInspectsWhatItAdopts(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.both()
		w.fill(3)
		w.passes(t, "folder", "first", 0)
		w.put("new")
		w.put("same")
		time.Sleep(time.Hour)
		w.destination.SetEncryption(w.key.ARN(), false)
		for key, tags := range map[string]map[string]string{"new": {"of": "another"}, "same": nil} {
			w.destination.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Tags: tags})
		}
		time.Sleep(time.Hour)
		var f found
		w.repair(t, &f, 3)
		f.want(t, "repair", map[string][]plan.DifferenceKind{"new": kinds(plan.DiffersForeign, plan.DiffersTags), "same": kinds(plan.DiffersForeign)})
		w.copies.OverwriteAny, w.options.Rules.OverwriteAny = true, true
		w.repair(t, &f, 0)
		if got := w.verify(t, f.request(1)); got.Total() != 0 || got.Inspected != 5 {
			t.Errorf("got %+v, %v, want no difference", got, f.all)
		}
	})
}

// TestScheduledVerifications checks the metrics and the log of scheduled verifications: the differences that
// the next pass mends are not counted, and the time is that of the last verification that judged all keys.
func TestScheduledVerifications(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(5)
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.put("new")
		check := func(what string, wantErr error, missing float64, isRecent bool) {
			t.Helper()
			w.settle()
			if err := w.open(t).VerifyScheduled(t.Context()); !errors.Is(err, wantErr) {
				t.Errorf("%s: got %v, want %v", what, err, wantErr)
			}
			found, at := w.value(t, `syncd_verify_differences{kind="missing",mapping="m"}`), w.value(t, `syncd_verify_last_success_timestamp_seconds{mapping="m"}`)
			if found != missing || (at == float64(time.Now().Unix())) != isRecent {
				t.Errorf("%s: got %v missing, at %v, want %v, and whether it is recent %t", what, found, at, missing, isRecent)
			}
			time.Sleep(time.Hour)
		}
		check("a new object", nil, 0, true)
		w.destination.Delete(name(1))
		w.destination.Delete(name(2))
		check("two lost copies", nil, 2, true)
		log := w.log.String()
		if strings.Count(log, `level=WARN msg="difference found" kind=missing`) != 1 || !strings.Contains(log, `msg="differences found" kind=missing objects=1 total=2`) ||
			!strings.Contains(log, "differences=3 pending=1") {
			t.Errorf("got the log %s, want the first lost copy, a count and the result", log)
		}
		w.destination.Delete(name(3))
		w.killedAt(t, "folder", "CopyObject", "", nil)
		w.options.Store = w.store(t)
		check("lost copies and an unsettled key", syncer.ErrUnsettled, 3, false)
		var f found
		w.repair(t, &f, 0)
		w.put("newer")
		w.killedAt(t, "folder", "CopyObject", "", nil)
		w.options.Store = w.store(t)
		check("an unsettled key", syncer.ErrUnsettled, 0, false)
	})
}
