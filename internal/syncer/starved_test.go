package syncer_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/iam"
	"syncd/internal/syncer"
)

// isCopiedInTime refuses objects under the last prefix, and writes an object with an earlier key.
// It checks that this object is copied within six days.
func isCopiedInTime(t *testing.T, deny func(w *world), put func(w *world, key string)) {
	t.Helper()
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 150 {
			w.put("a/" + name(i))
		}
		for i := range 150 {
			put(w, "z/"+name(i))
		}
		deny(w)
		s := w.open(t)
		w.runs(t, s, 1)
		w.put("a/new")
		w.runs(t, s, 6)
		if !slices.Contains(w.destination.Keys(), "a/new") {
			t.Error("a/new was not copied in six days, though a/ is allowed")
		}
	})
}

// TestTagsBelowTheLastPrefixAreRefused checks isCopiedInTime if only tagged objects under the last
// prefix are refused.
func TestTagsBelowTheLastPrefixAreRefused(t *testing.T) {
	isCopiedInTime(t, func(w *world) { w.deny(w.source, "z/*", "s3:GetObjectTagging") }, func(w *world, key string) {
		w.source.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{Tags: map[string]string{"a": "b"}})
	})
}

// TestTheLastPrefixIsRefusedWithoutAReason checks isCopiedInTime if writes under the last prefix
// are refused without a reason in the error.
func TestTheLastPrefixIsRefusedWithoutAReason(t *testing.T) {
	isCopiedInTime(t, func(w *world) {
		for i := range 150 {
			w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.AccessDenied, Key: "z/" + name(i)})
		}
	}, func(w *world, key string) { w.put(key) })
}

// TestNewObjectsAmongOldOnesAreRefused checks that a pass reaches its end and quarantines all new
// objects if they cannot be read, but are spread among readable old objects.
func TestNewObjectsAmongOldOnesAreRefused(t *testing.T) {
	skipIfShort(t)
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 3000 {
			w.put(fmt.Sprintf("d%02d/%05d-old", i/100, i))
		}
		s := w.open(t)
		mustRun(t, s)
		w.cloud.SetLatency(20 * time.Millisecond)
		for i := range 3000 {
			if i%10 == 5 {
				w.put(fmt.Sprintf("d%02d/%05d-x", i/100, i))
			}
		}
		w.deny(w.source, "*-x", "s3:GetObject")
		if got, err := s.Run(t.Context()); err != nil || got.SetAside() != 300 {
			t.Errorf("got %+v, %v, want 300 set aside: the other objects can be read", got, err)
		}
	})
}

// TestARefusedStretchIsResumed refuses writes under the last prefix, with the action named in the
// error, and drains the pass in the middle of that range. It checks that an object written
// meanwhile with an earlier key is copied within six days.
func TestARefusedStretchIsResumed(t *testing.T) {
	skipIfShort(t)
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 150 {
			w.put("a/" + name(i))
			w.put("z/" + name(i))
		}
		w.deny(w.destination, "z/*", "s3:PutObject")
		w.cloud.SetLatency(20 * time.Millisecond)
		s := w.open(t)
		ctx, drain := context.WithCancel(t.Context())
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "z/" + name(25), Times: 1, Do: drain})
		if _, err := s.Run(ctx); !errors.Is(err, syncer.ErrDrained) {
			t.Fatalf("got %v, want a drain", err)
		}
		w.put("a/a")
		w.runs(t, s, 6)
		if !slices.Contains(w.destination.Keys(), "a/a") {
			t.Error("a/a was not copied in six days, though a/ is allowed")
		}
	})
}

// TestTheSmallestObjectsAreRefused refuses the first range of keys, and in each other range one
// small object for every ten larger objects. It checks that all larger objects are copied.
func TestTheSmallestObjectsAreRefused(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 100 {
			w.put("a/" + name(i))
		}
		for _, d := range []string{"b", "m", "y", "z"} {
			for i := range 100 {
				w.source.Put(fmt.Sprintf("%s/%03d", d, i), awsfake.BytesBody([]byte("some more")), awsfake.PutOptions{})
				if i%10 == 0 {
					w.put(fmt.Sprintf("%s/%03d-x", d, i))
				}
			}
		}
		arn := w.source.ARN()
		w.source.SetPolicy(iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},
			"Action":"s3:*","Resource":[%q,"%s/*"]},{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":["%s/a/*","%s/*-x"]}]}`, consumer, arn, arn, arn, arn)))
		w.runs(t, w.open(t), 1)
		if n := len(w.destination.Keys()); n != 400 {
			t.Errorf("got %d copies, want 400", n)
		}
	})
}

// runs runs one pass a day, whatever its result.
func (w *world) runs(t *testing.T, s *syncer.Syncer, days int) {
	t.Helper()
	for range days {
		if got, err := s.Run(t.Context()); err != nil {
			t.Logf("%s: %v", got.Result, err)
		}
		time.Sleep(25 * time.Hour)
	}
}
