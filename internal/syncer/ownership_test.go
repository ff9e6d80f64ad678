//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"fmt"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/syncer"
	"syncd/internal/syncer/rename"
)

// passes runs a pass in a new process, and checks its exit code.
func (w *world) passes(t *testing.T, store, label string, exit int) syncer.Summary {
	t.Helper()
	p := w.start(t, store)
	defer p.finish(t)
	got, err := p.run(t)
	if err != nil || got.Exit != exit {
		t.Errorf("%s: got %+v, %v, want exit %d", label, got, err, exit)
	}
	return got
}

// killedAt runs a process that is killed when it sends the given request, which is still served.
func (w *world) killedAt(t *testing.T, store, operation, key string, run func(p *process)) {
	t.Helper()
	p := w.start(t, store)
	defer p.finish(t)
	stop := w.cloud.Inject(awsfake.Fault{Operation: operation, Bucket: w.copies.DestinationPlace.Bucket, Key: key, Do: p.kill})
	defer stop()
	if run == nil {
		if got, err := p.run(t); err == nil {
			t.Fatalf("got %+v, want it killed", got)
		}
		return
	}
	run(p)
}

func bubble(t *testing.T, do func(t *testing.T, w *world)) {
	t.Helper()
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.both()
		do(t, w)
	})
}

// TestClaimOfAWiderPrefixEnds kills a pass whose destination prefix has a typo, and corrects the
// prefix. It checks that the fourth pass after the correction sends no requests to the destination.
func TestClaimOfAWiderPrefixEnds(t *testing.T) {
	for _, key := range []bool{false, true} {
		for _, wrong := range []string{"", "typo/"} {
			t.Run(fmt.Sprint(key, " ", wrong), func(t *testing.T) {
				bubble(t, func(t *testing.T, w *world) {
					w.fill(5)
					w.put("a/k00001")
					w.copies.DestinationPlace.Prefix = "a/"
					w.options.Rekey = true
					first := w.copies.KeyARN
					w.passes(t, "S3", "first", 0)
					time.Sleep(time.Hour)
					w.copies.DestinationPlace.Prefix = wrong
					if key {
						w.copies.KeyARN = w.cloud.Account(consumer).CreateKey(region, nil).ARN()
					}
					w.killedAt(t, "S3", "CopyObject", wrong+name(2), nil)
					time.Sleep(time.Hour)
					w.copies.DestinationPlace.Prefix, w.copies.KeyARN = "a/", first
					for range 3 {
						w.passes(t, "S3", "back", 0)
						time.Sleep(time.Hour)
					}
					p := w.start(t, "S3")
					w.cloud.ResetRequests()
					got, err := p.run(t)
					if there := w.cloud.BucketRequests("consumer-copy"); err != nil || len(there) != 0 {
						t.Errorf("got %+v, %v and %v sent to the destination, want no requests there", got, err, there)
					}
					p.finish(t)
				})
			})
		}
	}
}

// TestKeptUploadThatWasCompleted kills a pass that has completed an upload of an earlier pass, and
// then changes or deletes the source object. S3 dates the copy by the start of the upload. The test
// checks that the copy still counts as syncd's own.
func TestKeptUploadThatWasCompleted(t *testing.T) {
	for label, change := range map[string]func(w *world){
		"overwritten": func(w *world) { w.source.Put("large", awsfake.SyntheticBody(15<<20, 2), awsfake.PutOptions{}) },
		"deleted":     func(w *world) { w.source.Delete("large") },
	} {
		t.Run(label, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
				w.source.Put("large", awsfake.SyntheticBody(20<<20, 1), awsfake.PutOptions{})
				heal := w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Key: "large", Skip: 2, Kind: awsfake.InternalError})
				if got := w.passes(t, "folder", "outage", 3); w.destination.Uploads() != 1 {
					t.Fatalf("got %+v and %d uploads, want one kept", got, w.destination.Uploads())
				}
				heal()
				time.Sleep(time.Hour)
				w.killedAt(t, "folder", "CompleteMultipartUpload", "large", nil)
				if _, ok := w.destination.Object("large"); !ok {
					t.Fatal("no copy")
				}
				time.Sleep(time.Hour)
				change(w)
				w.passes(t, "folder", "after", 0)
				time.Sleep(time.Hour)
				w.source.Put("large", awsfake.SyntheticBody(17<<20, 3), awsfake.PutOptions{})
				w.passes(t, "folder", "again", 0)
				w.wantInStep(t)
			})
		})
	}
}

// TestLeftoverThatMayOnlyBeListed checks that copies still count as syncd's own after a kill if the
// role is allowed to list the destination but not to read its objects.
func TestLeftoverThatMayOnlyBeListed(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(3)
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Bucket: "consumer-copy", Kind: awsfake.AccessDenied})
		w.put(name(5))
		w.killedAt(t, "folder", "CopyObject", name(5), nil)
		time.Sleep(time.Hour)
		w.source.Delete(name(1))
		w.passes(t, "folder", "deleted", 0)
		time.Sleep(time.Hour)
		w.change(name(1))
		w.passes(t, "folder", "back", 0)
		w.wantInStep(t)
	})
}

// TestRowOfAnotherPlace changes the destination after the response to a copy was lost. It checks
// that an object with the same key in the new place does not count as syncd's own.
func TestRowOfAnotherPlace(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		other := w.cloud.Account(consumer).CreateBucket("consumer-other", region, awsfake.BucketOptions{})
		w.fill(2)
		heal := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Kind: awsfake.LoseAnswer})
		hide := w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Bucket: "consumer-copy", Kind: awsfake.Unavailable})
		w.passes(t, "folder", "first", 3)
		heal()
		hide()
		time.Sleep(time.Hour)
		foreign := other.Put(name(1), awsfake.BytesBody([]byte("somebody else's")), awsfake.PutOptions{KeyARN: w.cloud.Account(consumer).CreateKey(region, nil).ARN()})
		time.Sleep(time.Hour)
		w.copies.DestinationPlace.Bucket = "consumer-other"
		got := w.passes(t, "folder", "elsewhere", 3)
		if now, _ := other.Object(name(1)); now.ETag != foreign.ETag {
			t.Errorf("got %+v, %+v, want the foreign object left", got, now)
		}
	})
}

// TestRowUnderAKeyOfTwoSettingsAgo loses the response to a copy under one KMS key, and denies the
// copy under the next key. It checks that the object at the destination still counts as syncd's
// own.
func TestRowUnderAKeyOfTwoSettingsAgo(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Rekey = true
		w.fill(2)
		heal := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Kind: awsfake.LoseAnswer})
		hide := w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Bucket: "consumer-copy", Kind: awsfake.Unavailable})
		w.passes(t, "folder", "first", 3)
		heal()
		hide()
		time.Sleep(time.Hour)
		w.copies.KeyARN = w.cloud.Account(consumer).CreateKey(region, nil).ARN()
		deny := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Kind: awsfake.AccessDenied})
		w.passes(t, "folder", "new key", 3)
		deny()
		time.Sleep(24 * time.Hour)
		w.change(name(1))
		w.passes(t, "folder", "again", 0)
		w.wantInStep(t)
	})
}

// renaming returns the options to rename the mapping's ledger, with the same settings.
func (w *world) renaming() rename.Options {
	return rename.Options{From: "m", Ledger: checkpoint.Options{Mapping: "n"}, Settings: w.options.Settings}
}

// TestRenameForgetsNoClaim kills a pass under other settings, restores the settings and renames the
// mapping. It checks that the copies of the killed pass still count as syncd's own.
func TestRenameForgetsNoClaim(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.underTwoPrefixes()
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.copies.SourcePlace.Prefix = "in/"
		w.killedAt(t, "folder", "CopyObject", name(2), nil)
		w.copies.SourcePlace.Prefix = ""
		time.Sleep(time.Hour)
		w.settle()
		if n, err := rename.Ledger(t.Context(), w.store(t), w.renaming()); err != nil || n == 0 {
			t.Fatalf("got %d, %v", n, err)
		}
		w.options.Mapping, w.options.Ledger.Mapping = "n", "n"
		for range 2 {
			w.passes(t, "folder", "renamed", 0)
		}
		w.wantInStep(t)
	})
}

// TestFallbackToAnEarlierGeneration checks that copies still count as syncd's own after a fallback
// to an earlier generation because the last one is damaged.
func TestFallbackToAnEarlierGeneration(t *testing.T) {
	for _, isDamaged := range []bool{false, true} {
		t.Run(fmt.Sprint(isDamaged), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.underTwoPrefixes()
				w.passes(t, "folder", "first", 0)
				time.Sleep(time.Hour)
				w.change(name(1))
				w.passes(t, "folder", "second", 0)
				if isDamaged {
					records := w.records(t, "manifest-*")
					damage(t, records[len(records)-1])
				}
				time.Sleep(time.Hour)
				w.source.Put(name(1), awsfake.BytesBody([]byte("changed once more")), awsfake.PutOptions{})
				w.passes(t, "folder", "third", 0)
				w.wantInStep(t)
			})
		})
	}
}

// TestFallbackBehindOtherSettings damages the last generation, which was made under other settings,
// and then restores the settings. It checks that the destination matches the source in the end.
func TestFallbackBehindOtherSettings(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.underTwoPrefixes()
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.copies.SourcePlace.Prefix = "in/"
		w.passes(t, "folder", "second", 0)
		records := w.records(t, "manifest-*")
		damage(t, records[len(records)-1])
		time.Sleep(time.Hour)
		w.copies.SourcePlace.Prefix = ""
		w.passes(t, "folder", "third", 0)
		w.passes(t, "folder", "fourth", 0)
		w.wantInStep(t)
	})
}
