package copier_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/iam"
)

// treats injects a fault of the given kind into some writes, which changes how the service treats
// their conditions, until remove is called.
func (w *world) treats(kind awsfake.FaultKind, operations ...string) (remove func()) {
	w.options.ToS3 = func() bool { return false }
	var all []func()
	for _, operation := range operations {
		all = append(all, w.cloud.Inject(awsfake.Fault{Operation: operation, Kind: kind}))
	}
	return func() {
		for _, f := range all {
			f()
		}
	}
}

// TestServiceThatIgnoresConditions checks that the first write of each kind, which is a normal
// copy, detects a service that ignores conditions. From then on the destination is checked before
// every write.
func TestServiceThatIgnoresConditions(t *testing.T) {
	for way, w := range ways(t) {
		for name, kind := range map[string]awsfake.FaultKind{"ignores": awsfake.IgnoreConditions, "refuses": awsfake.RefuseConditions} {
			t.Run(name+" "+way, func(t *testing.T) {
				w.destination.Delete("k")
				defer w.treats(kind, "CopyObject", "PutObject", "CompleteMultipartUpload")()
				w.wire.seen = nil
				c := copier.New(w.options)
				first, _, err := c.Copy(t.Context(), listed(w.sized(1)), copier.Target{}, nil)
				if err != nil || first.Unconditional == "" {
					t.Fatalf("got %+v, %v, want a copy without a condition", first, err)
				}
				second, _, err := c.Copy(t.Context(), listed(w.sized(2)), copier.Target{Known: first.DestinationETag}, nil)
				if err != nil || second.Unconditional == "" {
					t.Fatalf("got %+v, %v, want a copy without a condition", second, err)
				}
				want := map[awsfake.FaultKind][]string{
					awsfake.IgnoreConditions: {`if "syncd-never"`, "always"}, awsfake.RefuseConditions: {`if "syncd-never"`, "always", "always"},
				}
				w.wantSent(t, want[kind]...)
				w.putForeign(time.Time{})
				if _, _, err = c.Copy(t.Context(), listed(w.sized(3)), copier.Target{Known: second.DestinationETag}, nil); !errors.Is(err, copier.ErrForeign) {
					t.Errorf("got %v, want the foreign object found and kept", err)
				}
				w.wantSent(t, want[kind]...)
			})
		}
	}
}

// TestServiceThatHonoursConditions checks that one refused write of each kind detects a service
// that honors conditions, and that existing objects are protected from the start.
func TestServiceThatHonoursConditions(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.treats(awsfake.None)
			c := copier.New(w.options)
			there := w.putForeign(time.Now().Add(-time.Hour))
			if _, _, err := c.Copy(t.Context(), listed(w.sized(1)), copier.Target{}, nil); !errors.Is(err, copier.ErrForeign) {
				t.Errorf("got %v, want the existing object kept without a write", err)
			}
			if now, _ := w.destination.Object("k"); now.ETag != there.ETag {
				t.Errorf("got %+v at the destination, want the object unchanged", now)
			}
			w.destination.Delete("k")
			first, _, err := c.Copy(t.Context(), listed(w.sized(1)), copier.Target{}, nil)
			if err != nil || first.Unconditional != "" {
				t.Fatalf("got %+v, %v, want a copy under a condition", first, err)
			}
			if _, _, err := c.Copy(t.Context(), listed(w.sized(2)), copier.Target{Known: first.DestinationETag}, nil); err != nil {
				t.Fatal(err)
			}
			w.wantSent(t, `if "syncd-never"`, "if none", "if "+first.DestinationETag)
			if n := w.cloud.Requests()["CreateMultipartUpload"]; n > 2 {
				t.Errorf("got %d uploads for two copies", n)
			}
		})
	}
}

// TestManyCopiesFindOutOnce checks that many concurrent copies to an unknown service send only one
// probe.
func TestManyCopiesFindOutOnce(t *testing.T) {
	w := newWorld(t)
	w.treats(awsfake.None)
	c := copier.New(w.options)
	var copies sync.WaitGroup
	for i := range 20 {
		object := w.putText(fmt.Sprint("k", i), "x")
		copies.Go(func() {
			if _, _, err := c.Copy(context.WithoutCancel(t.Context()), object, copier.Target{Looked: true}, nil); err != nil {
				t.Error(err)
			}
		})
	}
	copies.Wait()
	if n := w.cloud.Requests()["CopyObject"]; n != 21 {
		t.Errorf("got %d requests for 20 copies, want one more for the probe", n)
	}
}

// TestInconclusiveProbe makes two probes fail for reasons that do not show how the service treats
// conditions: a source object that no longer exists, and an internal error. It checks that the next
// write is a probe again.
func TestInconclusiveProbe(t *testing.T) {
	w := newWorld(t)
	w.treats(awsfake.None)
	c := copier.New(w.options)
	gone := w.putText("gone", "x")
	w.source.Delete("gone")
	if _, _, err := c.Copy(t.Context(), gone, copier.Target{}, nil); awserr.Classify(err) != awserr.Gone {
		t.Errorf("got %v, want class gone", err)
	}
	remove := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.InternalError})
	if _, _, err := c.Copy(t.Context(), w.putText("failed", "x"), copier.Target{}, nil); awserr.Classify(err) != awserr.Transient {
		t.Errorf("got %v, want a transient failure", err)
	}
	remove()
	w.wire.seen = nil
	if _, _, err := c.Copy(t.Context(), w.putText("k", "x"), copier.Target{}, nil); err != nil {
		t.Fatal(err)
	}
	w.wantSent(t, `if "syncd-never"`, "if none")
}

// TestRoleThatMayNotRead denies s3:GetObject at the destination. Writes with If-Match need that
// permission. It checks that the copier falls back to writes without If-Match once, and reports
// this.
func TestRoleThatMayNotRead(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			object := listed(w.sized(1))
			made, _ := w.mustCopy(t, object)
			w.destination.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
				"Action":"s3:GetObject","Resource":"arn:aws:s3:::consumer-copy/*"}]}`))
			c := copier.New(w.options)
			w.wire.seen = nil
			target := copier.Target{Known: made.DestinationETag}
			second, _, err := c.Copy(t.Context(), listed(w.sized(2)), target, nil)
			if err != nil || second.Unconditional == "" {
				t.Fatalf("got %+v, %v, want a copy without a condition", second, err)
			}
			third, _, err := c.Copy(t.Context(), listed(w.sized(3)), copier.Target{Known: second.DestinationETag}, nil)
			if err != nil || third.Unconditional == "" {
				t.Fatalf("got %+v, %v, want a copy without a condition", third, err)
			}
			w.wantSent(t, "if "+made.DestinationETag, "always", "always")
			// A write to a key where no object is known is sent with If-None-Match, which needs
			// only permission to write.
			other := w.source.Put("other", awsfake.SyntheticBody(w.size, 1), awsfake.PutOptions{})
			fourth, _, err := c.Copy(t.Context(), listed(other), copier.Target{}, nil)
			if err != nil || fourth.Unconditional != "" {
				t.Errorf("got %+v, %v, want a copy under a condition", fourth, err)
			}
		})
	}
}

// TestRoleThatMayReadLater grants s3:GetObject at the destination later. It checks that If-Match is
// not sent for an hour after the denial, and is then sent again.
func TestRoleThatMayReadLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.size = 10
		made, _ := w.mustCopy(t, listed(w.sized(1)))
		w.destination.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
			"Action":"s3:GetObject","Resource":"arn:aws:s3:::consumer-copy/*"}]}`))
		c, known := copier.New(w.options), made.DestinationETag
		copyNext := func(seed uint64) string {
			t.Helper()
			w.wire.seen = nil
			result, _, err := c.Copy(t.Context(), listed(w.sized(seed)), copier.Target{Known: known}, nil)
			if err != nil {
				t.Fatal(err)
			}
			former := known
			known = result.DestinationETag
			return former
		}
		former := copyNext(2)
		w.wantSent(t, "if "+former, "always")
		w.destination.SetPolicy(nil)
		time.Sleep(59 * time.Minute)
		copyNext(3)
		w.wantSent(t, "always")
		time.Sleep(2 * time.Minute)
		former = copyNext(4)
		w.wantSent(t, "if "+former)
	})
}

// TestNoFallbackForOtherDenials checks that the copier does not fall back if the write without the
// condition is denied as well.
func TestNoFallbackForOtherDenials(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			for _, operation := range []string{"CopyObject", "PutObject", "CompleteMultipartUpload"} {
				w.cloud.Inject(awsfake.Fault{Operation: operation, Kind: awsfake.AccessDenied})
			}
			w.target = copier.Target{Known: `"e"`}
			if _, err := w.copy(t, listed(w.sized(1))); copier.Reason(err) != "denied" {
				t.Errorf("got %v, reason %q, want denied", err, copier.Reason(err))
			}
		})
	}
}

// TestBucketThatDemandsConditions checks copies to a bucket whose policy denies every write without
// a condition ("Enforce conditional writes", Amazon S3 User Guide).
func TestBucketThatDemandsConditions(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.destination.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*",
				"Action":"s3:PutObject","Resource":"arn:aws:s3:::consumer-copy/*",
				"Condition":{"Null":{"s3:if-none-match":"true","s3:if-match":"true"},"Bool":{"s3:ObjectCreationOperation":"true"}}}]}`))
			made, _ := w.mustCopy(t, listed(w.sized(1)))
			w.target = copier.Target{Known: made.DestinationETag}
			w.mustCopy(t, listed(w.sized(2)))
			w.options.OverwriteAny = true
			w.putForeign(time.Time{})
			w.target = copier.Target{}
			w.mustCopy(t, listed(w.sized(3)))
		})
	}
}
