package syncer_test

import (
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
)

// copyLocks makes both sides buckets with Object Lock, and limits retentions to bound.
func (w *world) copyLocks(bound time.Duration) {
	w.source = w.cloud.Account(consumer).CreateBucket("locked-data", region, awsfake.BucketOptions{ObjectLock: true})
	w.destination = w.cloud.Account(consumer).CreateBucket("locked-copy", region, awsfake.BucketOptions{ObjectLock: true})
	w.live.Place.Bucket, w.live.Place.Account = "locked-data", consumer
	w.copies.SourcePlace.Bucket, w.copies.SourcePlace.Account, w.copies.DestinationPlace.Bucket = "locked-data", consumer, "locked-copy"
	w.copies.ObjectLock, w.copies.ObjectLockMax = true, bound
}

// TestShortenedRetentionsAreCounted checks that shortened retentions are counted, and logged with
// the object's key, and that other retentions stay unchanged.
func TestShortenedRetentionsAreCounted(t *testing.T) {
	w := newWorld(t)
	const bound = 10 * 24 * time.Hour
	w.copyLocks(bound)
	for key, until := range map[string]time.Time{"long": time.Now().AddDate(1000, 0, 0), "short": time.Now().Add(bound / 2)} {
		lock := awsfake.Lock{Mode: awsfake.Compliance, Until: until.UTC().Truncate(time.Second)}
		w.source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{Lock: lock})
	}
	if s := mustRun(t, w.open(t)); s.Copied != 2 {
		t.Fatalf("got %+v, want both copied", s)
	}
	if n := w.value(t, `syncd_shortened_retentions_total{mapping="m"}`); n != 1 {
		t.Errorf("got %v shortened retentions, want 1", n)
	}
	if log := w.log.String(); !strings.Contains(log, `msg="object copied with notes"`) || !strings.Contains(log, "key=long notes=[retention_shortened]") ||
		strings.Contains(log, "key=short") {
		t.Errorf("got the log %s, want a note of the one object", log)
	}
	copied, _ := w.destination.Object("long")
	if left := time.Until(copied.Lock.Until); copied.Lock.Mode != awsfake.Compliance || left > bound || left < bound-time.Hour {
		t.Errorf("got lock %+v, want it to end in %s", copied.Lock, bound)
	}
}
