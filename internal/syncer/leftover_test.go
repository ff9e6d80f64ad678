package syncer_test

import (
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/plan"
)

// TestLeftoversStayOurs kills a process that has copied objects but saved nothing. Before the next
// pass an object is deleted or filtered, or the mapping copies from another place. After that pass
// no claims are left, and the object is put back. The test checks that its copy still counts as
// syncd's own.
func TestLeftoversStayOurs(t *testing.T) {
	const keys = 6
	type change = func(w *world)
	for label, tt := range map[string]struct{ between, back change }{
		"deleted": {
			func(w *world) { w.source.Delete(name(2)); w.source.Delete(name(keys - 1)) },
			func(w *world) { w.change(name(2)); w.put(name(keys - 1)) },
		},
		"filtered": {
			func(w *world) { w.options.Rules.Filter = plan.Filter{Exclude: []plan.Pattern{glob(name(2))}} },
			func(w *world) { w.options.Rules.Filter = plan.Filter{}; w.change(name(2)) },
		},
		"of another prefix": {
			func(w *world) {
				w.source.Put("in/"+name(1), awsfake.BytesBody([]byte("other")), awsfake.PutOptions{})
				w.copies.SourcePlace.Prefix = "in/"
			},
			func(w *world) { w.source.Delete("in/" + name(1)); w.copies.SourcePlace.Prefix = ""; w.change(name(3)) },
		},
	} {
		for _, isFirst := range []bool{true, false} {
			t.Run(label, func(t *testing.T) {
				checkpointtest.Bubble(t, func(t *testing.T) {
					w := newWorld(t)
					w.both()
					w.put(name(keys)) // the copies before this key are settled one by one
					if !isFirst {
						p := w.start(t, "S3")
						if _, err := p.run(t); err != nil {
							t.Fatal(err)
						}
						p.finish(t)
						time.Sleep(time.Hour)
					}
					w.fill(keys)
					killed := w.start(t, "S3")
					var copies atomic.Int64
					stop := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Do: func() {
						if copies.Add(1) == keys {
							killed.kill()
						}
					}})
					if got, err := killed.run(t); err == nil {
						t.Fatalf("got %+v, want it killed", got)
					}
					stop()
					killed.finish(t)
					for _, change := range []change{tt.between, tt.back} {
						time.Sleep(time.Hour)
						change(w)
						p := w.start(t, "S3")
						if got, err := p.run(t); err != nil || got.Exit != 0 {
							t.Errorf("got %+v, %v, want nothing set aside", got, err)
						}
						p.finish(t)
					}
					w.wantInStep(t)
				})
			})
		}
	}
}

// change writes another version of an object, with a different size.
func (w *world) change(key string) {
	w.source.Put(key, awsfake.BytesBody([]byte("changed")), awsfake.PutOptions{})
}

// TestLeftoverOfAHeldObjectStaysOurs kills a replay that has copied an object but saved nothing.
// The next pass does not retry the object, because it is not due, and gives up the claim. The test
// checks that the copy still counts as syncd's own when the object is due.
func TestLeftoverOfAHeldObjectStaysOurs(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.both()
		w.fill(3)
		deny := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Kind: awsfake.AccessDenied})
		first := w.start(t, "S3")
		if got, err := first.run(t); err != nil || got.Quarantined["denied"] != 1 {
			t.Fatalf("got %+v, %v, want one denied", got, err)
		}
		first.finish(t)
		deny()

		killed := w.start(t, "S3")
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Times: 1, Do: killed.kill})
		if got, err := killed.Replay(killed.ctx, all); err == nil {
			t.Fatalf("got %+v, want the replay killed", got)
		}
		killed.finish(t)
		time.Sleep(2 * time.Minute) // the lease expires, and the object is not due yet
		second := w.start(t, "S3")
		defer second.finish(t)
		if got, err := second.run(t); err != nil || got.Held != 1 {
			t.Fatalf("got %+v, %v, want the object held", got, err)
		}
		w.change(name(1))
		if got, err := second.run(t); err != nil || got.Copied != 1 || got.Exit != 0 {
			t.Errorf("got %+v, %v, want the object copied", got, err)
		}
		w.wantInStep(t)
	})
}
