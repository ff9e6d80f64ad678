//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/content"
	"syncd/internal/plan"
	"syncd/internal/syncer/rename"
)

// TestClaimsDoNotPileUp kills 40 processes one after the other at the same point, and checks that
// the ledger has only a few claims.
func TestClaimsDoNotPileUp(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(3)
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.Timeout})
		const kills = 40
		for range kills {
			p := w.start(t, "folder")
			p.life = 10 * time.Second
			_, _ = p.run(t)
			p.finish(t)
		}
		progress, ok, err := record.Unfinished(t.Context(), w.store(t), "m")
		if err != nil || !ok || len(progress.Claims) > 4 {
			t.Errorf("got %d claims on the same keys, %v, %v", len(progress.Claims), ok, err)
		}
	})
}

// TestAdoptedCopyHasTheClass checks that an object whose existing copy is in another storage class
// ends up in the configured class.
func TestAdoptedCopyHasTheClass(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(2)
		mend := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Kind: awsfake.AccessDenied})
		w.passes(t, "folder", "first", 3)
		mend()
		time.Sleep(2 * time.Second)
		w.copies.StorageClass = "STANDARD_IA"
		w.killedAt(t, "folder", "CopyObject", name(1), nil)
		w.copies.StorageClass = ""
		time.Sleep(time.Second)
		w.passes(t, "folder", "held", 3)
		time.Sleep(24 * time.Hour)
		w.passes(t, "folder", "due", 0)
		w.wantInStep(t)
	})
}

// TestReplayAfterAKilledReplayOfARewrittenObject kills a replay that has copied an object, and
// changes the object. It checks that another replay copies the new version, and that later passes
// send no requests to the destination.
func TestReplayAfterAKilledReplayOfARewrittenObject(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		if _, err := w.admin.PutBucketVersioning(t.Context(), versioned()); err != nil {
			t.Fatal(err)
		}
		w.fill(3)
		mend := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Kind: awsfake.AccessDenied})
		w.passes(t, "folder", "first", 3)
		mend()
		time.Sleep(2 * time.Second)
		w.killedAt(t, "folder", "CopyObject", name(1), func(p *process) { _, _ = p.Replay(p.ctx, all) })
		time.Sleep(2 * time.Second)
		w.change(name(1))
		p := w.start(t, "folder")
		if got, err := p.Replay(p.ctx, all); err != nil || got.Exit != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
		p.finish(t)
		w.passes(t, "folder", "ordinary", 0)
		time.Sleep(lateRequests)
		w.passes(t, "folder", "later", 0)
		q := w.start(t, "folder")
		w.cloud.ResetRequests()
		got, err := q.run(t)
		if there := w.cloud.BucketRequests("consumer-copy"); err != nil || len(there) != 0 {
			t.Errorf("got %+v, %v, %v", got, err, there)
		}
		q.finish(t)
		w.wantInStep(t)
	})
}

// TestEmptySourceAfterAKill empties the source after a kill and runs a pass. It checks that the
// copies still count as syncd's own when the objects are back.
func TestEmptySourceAfterAKill(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(3)
		w.killedAt(t, "S3", "CopyObject", name(2), nil)
		for i := range 3 {
			w.source.Delete(name(i))
		}
		time.Sleep(time.Hour)
		w.passes(t, "S3", "empty", 0)
		time.Sleep(time.Hour)
		for i := range 3 {
			w.change(name(i))
		}
		w.passes(t, "S3", "back", 0)
		w.wantInStep(t)
	})
}

// TestDeleteMarkersAfterAKill deletes copies at a versioned destination after a kill. It checks
// that the objects are copied again.
func TestDeleteMarkersAfterAKill(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(4)
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.put(name(9))
		w.killedAt(t, "folder", "CopyObject", name(9), nil)
		for _, i := range []int{1, 2} {
			if _, err := w.admin.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String(name(i))}); err != nil {
				t.Fatal(err)
			}
		}
		w.source.Delete(name(2))
		time.Sleep(time.Hour)
		w.passes(t, "folder", "second", 0)
		w.change(name(2))
		time.Sleep(time.Hour)
		w.passes(t, "folder", "third", 0)
		w.wantInStep(t)
	})
}

// TestSettingsChangedTwiceBetweenKills kills processes under two other KMS keys in turn, and then
// restores the first key. It checks that the copies still count as syncd's own.
func TestSettingsChangedTwiceBetweenKills(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.options.Rekey = true
		w.fill(6)
		w.passes(t, "S3", "first", 0)
		keys := []string{w.copies.KeyARN, w.cloud.Account(consumer).CreateKey(region, nil).ARN(), w.cloud.Account(consumer).CreateKey(region, nil).ARN()}
		for _, i := range []int{1, 2, 1, 2} {
			time.Sleep(time.Hour)
			w.copies.KeyARN = keys[i]
			w.killedAt(t, "S3", "CopyObject", name(3), nil)
		}
		time.Sleep(time.Hour)
		w.copies.KeyARN = keys[0]
		w.options.Rules.Filter = plan.Filter{Exclude: []plan.Pattern{glob(name(3))}}
		w.passes(t, "S3", "back and filtered", 0)
		time.Sleep(time.Hour)
		w.options.Rules.Filter = plan.Filter{}
		w.passes(t, "S3", "back", 0)
		w.wantInStep(t)
	})
}

// TestPrefixThatIsAKey checks claims and copies if the source prefix is also the key of an object.
func TestPrefixThatIsAKey(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.copies.SourcePlace.Prefix, w.copies.DestinationPlace.Prefix = "data", "p/"
		for _, key := range []string{"data", "data/1", "data/2", "datax"} {
			w.put(key)
		}
		w.killedAt(t, "folder", "CopyObject", "p//2", nil)
		time.Sleep(time.Hour)
		w.source.Delete("data/2")
		w.change("data")
		w.passes(t, "folder", "second", 0)
		w.put("data/2")
		w.change("data/2")
		time.Sleep(time.Hour)
		w.passes(t, "folder", "third", 0)
		w.wantInStep(t)
		w.copies.DestinationPlace.Prefix = ""
		w.passes(t, "folder", "no key", 3)
		w.passes(t, "folder", "no key", 3)
	})
}

// TestLostAnswerToACompletion loses the response that completes an upload; S3 dates the object by
// the start of the upload. The test checks that the object never counts as foreign.
func TestLostAnswerToACompletion(t *testing.T) {
	for _, relay := range []bool{false, true} {
		for _, lost := range []int{1, 0} { // lost once, or always
			for _, changed := range []bool{false, true} {
				bubble(t, func(t *testing.T, w *world) {
					w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
					w.copies.Relay = relay
					if relay {
						w.copies.Buffers = content.NewBuffers(64 << 20)
					}
					w.source.Put("large", awsfake.SyntheticBody(20<<20, 1), awsfake.PutOptions{NoChecksum: true})
					for _, operation := range []string{"UploadPartCopy", "UploadPart"} {
						w.cloud.Inject(awsfake.Fault{Operation: operation, Do: func() { time.Sleep(5 * time.Second) }})
					}
					heal := w.cloud.Inject(awsfake.Fault{Operation: "CompleteMultipartUpload", Times: lost, Kind: awsfake.LoseAnswer})
					p := w.start(t, "folder")
					got, err := p.run(t)
					p.finish(t)
					if lost == 1 && (err != nil || got.Exit != 0) || got.Quarantined["foreign"] > 0 {
						t.Errorf("relay %t, lost %d: got %+v, %v", relay, lost, got, err)
					}
					heal()
					time.Sleep(time.Hour)
					if changed {
						w.source.Put("large", awsfake.SyntheticBody(15<<20, 2), awsfake.PutOptions{NoChecksum: true})
					}
					q := w.start(t, "folder")
					got, err = q.run(t)
					q.finish(t)
					if err != nil || got.Exit != 0 {
						t.Errorf("relay %t, lost %d, changed %t, second pass: got %+v, %v", relay, lost, changed, got, err)
					}
				})
			}
		}
	}
}

// TestRenameForgetsNoQuarantine renames a mapping after the response to a copy was lost. It checks
// that the copy still counts as syncd's own.
func TestRenameForgetsNoQuarantine(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(2)
		heal := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Kind: awsfake.LoseAnswer})
		hide := w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Bucket: "consumer-copy", Kind: awsfake.Unavailable})
		w.passes(t, "folder", "first", 3)
		heal()
		hide()
		time.Sleep(time.Hour)
		w.settle()
		if n, err := rename.Ledger(t.Context(), w.store(t), w.renaming()); err != nil || n == 0 {
			t.Fatalf("got %d, %v", n, err)
		}
		w.options.Mapping, w.options.Ledger.Mapping = "n", "n"
		w.change(name(1))
		w.passes(t, "folder", "renamed", 0)
		w.wantInStep(t)
	})
}

// TestDeniedLookKeepsTheRow deletes an object whose copy the role is not allowed to read, and then
// puts the object back. It checks that the quarantine row is kept, so that the copy still counts as
// syncd's own.
func TestDeniedLookKeepsTheRow(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(2)
		heal := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1), Kind: awsfake.LoseAnswer})
		deny := w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Bucket: "consumer-copy", Kind: awsfake.AccessDenied})
		p := w.start(t, "folder")
		got, err := p.run(t)
		p.finish(t)
		t.Logf("first: %+v %v", got, err)
		heal()
		time.Sleep(time.Hour)
		w.source.Delete(name(1))
		w.passes(t, "folder", "deleted", 0)
		deny()
		time.Sleep(time.Hour)
		w.change(name(1))
		w.passes(t, "folder", "back", 0)
		w.wantInStep(t)
	})
}

// TestDamagedClaim damages the records with the claims of a killed pass under other settings, and
// then restores the settings. It checks that the destination matches the source in the end.
func TestDamagedClaim(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.underTwoPrefixes()
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.copies.SourcePlace.Prefix = "in/"
		w.killedAt(t, "folder", "CopyObject", name(2), nil)
		w.copies.SourcePlace.Prefix = ""
		damage(t, w.records(t, "progress-*")...)
		time.Sleep(time.Hour)
		w.passes(t, "folder", "back", 0)
		w.passes(t, "folder", "once more", 0)
		w.wantInStep(t)
	})
}

// TestClaimThatNeverEndsCoversForeignObjects leaves a claim on a wide prefix, and runs passes that
// settle a narrower prefix. It checks that an object that another writer puts under the narrower
// prefix is foreign and is not replaced.
func TestClaimThatNeverEndsCoversForeignObjects(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.fill(5)
		w.put("a/" + name(7))
		w.copies.DestinationPlace.Prefix = "a/"
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.copies.DestinationPlace.Prefix = ""
		w.killedAt(t, "folder", "CopyObject", name(2), nil)
		w.copies.DestinationPlace.Prefix = "a/"
		for range 2 {
			time.Sleep(24 * time.Hour)
			w.passes(t, "folder", "back", 0)
		}
		time.Sleep(24 * time.Hour)
		foreign := w.destination.Put("a/"+name(8), awsfake.BytesBody([]byte("somebody else's")), awsfake.PutOptions{KeyARN: w.key.ARN()})
		w.put(name(8))
		got := w.passes(t, "folder", "foreign", 3)
		if now, _ := w.destination.Object("a/" + name(8)); now.ETag != foreign.ETag {
			t.Errorf("got %+v, %+v, want the foreign object left", got, now)
		}
	})
}
