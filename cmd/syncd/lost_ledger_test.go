package main

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/demo"
)

var lostKeys = flag.Int("lost", 2000, "how many objects the source of TestLostLedger has")

// lostKills returns how often TestLostLedger kills the process at most.
func lostKills(keys int) int { return 4 + keys/50_000 }

// TestLostLedger deletes the ledger of a complete mapping, and kills the real process repeatedly at
// random moments while it rebuilds the ledger with --take-over. Meanwhile the source and the
// destination have changed. It checks the copies, the ledger, and that a copy that equals its source
// was adopted.
func TestLostLedger(t *testing.T) {
	skipIfShort(t)
	for _, way := range []crashWay{{}, {onS3: true, relay: true}} {
		t.Run(way.String(), func(t *testing.T) {
			l := newLost(t, way)
			l.lose(t)
			l.rebuild(t)
			l.checkCopies(t)
			l.checkLedger(t)
			l.checkUnchanged(t)
		})
	}
}

// fate is what happens to an object or its copy before the ledger is lost, or afterwards.
type fate int

const (
	proved    fate = iota // nothing, and both sides have a checksum
	dated                 // the source has no checksum, but the copy was made long after its source
	doubtful              // the source has no checksum, and the copy was made soon after its source
	changed               // the source object is overwritten
	uncopied              // the copy is deleted
	displaced             // another writer overwrites the copy
	rekeyed               // the copy is encrypted with another key
	fates
)

// fateOf returns the fate of an object. Nineteen in twenty objects are proved.
func fateOf(i int) fate {
	if i%20 != 0 {
		return proved
	}
	return fate(i / 20 % int(fates))
}

// isAdopted reports whether an object with this fate is adopted instead of copied.
func (f fate) isAdopted() bool { return f == proved || f == dated }

// requests returns how many HEAD requests to the source and copies an object with this fate takes.
func (f fate) requests() int {
	if f == doubtful || f == displaced {
		return 2
	}
	return 1
}

// lost is a site whose ledger is lost. Keys that the source does not have end in lostOther.
type lost struct {
	*crash
	n    int
	at   time.Time // when the ledger was lost
	need int       // requests of a rebuild without kills, as fate.requests counts them
}

const (
	lostOther  = ".other"
	lostOthers = 20
	lostLarge  = 1    // the object that is copied in parts
	lostCopied = 2000 // the most objects that the program copies before the ledger is lost
)

func lostKey(i int) string { return fmt.Sprintf("data/%07d", i) }

func (l *lost) otherKey(i int) string { return lostKey(i*l.n/lostOthers) + lostOther }

// newLost fills the source and copies it. If there are many objects, it puts their copies without the
// program, because copying takes longer than what the test checks.
func newLost(t *testing.T, way crashWay) *lost {
	t.Helper()
	l := &lost{crash: newCrashSite(t, way), n: *lostKeys}
	began, isLarge := time.Now(), l.n > lostCopied
	for i := range l.n {
		l.need += fateOf(i).requests()
		body := l.write(i, "first")
		if isLarge {
			l.Destination.Put(lostKey(i), body, awsfake.PutOptions{})
		}
	}
	if isLarge {
		t.Logf("put %d objects and their copies in %.1f s", l.n, time.Since(began).Seconds())
		return l
	}
	if got := l.run(t.Context(), "backfill"); got.code != 0 {
		t.Fatalf("the first backfill: got exit %d; stderr:\n%s", got.code, got.stderr)
	}
	t.Logf("copied %d objects in %.1f s", l.n, time.Since(began).Seconds())
	return l
}

// write writes a version of an object to the source, and returns its body. The content of all versions
// has the same size.
func (l *lost) write(i int, version string) awsfake.Body {
	var o awsfake.PutOptions
	switch fateOf(i) { //nolint:exhaustive // the others are plain objects
	case dated:
		o = awsfake.PutOptions{NoChecksum: true, LastModified: l.now().Add(-2 * time.Hour)}
	case doubtful:
		o = awsfake.PutOptions{NoChecksum: true}
	}
	body := awsfake.BytesBody(fmt.Appendf(nil, "%07d, %5s", i, version))
	if i == lostLarge {
		body = awsfake.SyntheticBody(9<<20, 1)
	}
	l.Source.Put(lostKey(i), body, o)
	return body
}

// lose deletes the ledger, and then brings about the fate of every object.
func (l *lost) lose(t *testing.T) {
	t.Helper()
	if l.state == nil {
		if err := os.RemoveAll(filepath.Join(l.dir, "state")); err != nil {
			t.Fatal(err)
		}
	} else {
		for _, key := range l.state.Keys() {
			l.state.Delete(key)
		}
	}
	l.at = l.now()
	l.skew.Add(int64(time.Minute))
	other := l.Cloud.Account(demo.Consumer).CreateKey(demo.Region, nil).ARN()
	for i := range l.n {
		key := lostKey(i)
		switch fateOf(i) { //nolint:exhaustive // the others keep what they have
		case changed:
			l.write(i, "later")
		case uncopied:
			l.Destination.Delete(key)
		case displaced:
			l.Destination.Put(key, awsfake.BytesBody(fmt.Appendf(nil, "%07d, %5s", i, "other")), awsfake.PutOptions{})
		case rekeyed:
			content, err := l.Source.Read(key)
			if err != nil {
				t.Fatal(err)
			}
			l.Destination.Put(key, awsfake.BytesBody(content), awsfake.PutOptions{KeyARN: other})
		}
	}
	for i := range lostOthers {
		l.Destination.Put(l.otherKey(i), awsfake.BytesBody([]byte("other")), awsfake.PutOptions{})
	}
	l.skew.Add(int64(time.Minute))
}

// rebuild rebuilds the ledger and kills the process repeatedly meanwhile.
func (l *lost) rebuild(t *testing.T) {
	t.Helper()
	for _, at := range []struct{ operation, bucket string }{{"HeadObject", demo.Source}, {"CopyObject", demo.Copy}, {"PutObject", demo.Copy}} {
		l.Cloud.Inject(awsfake.Fault{Operation: at.operation, Bucket: at.bucket, Kind: awsfake.None, Do: l.noteCopy})
	}
	l.Cloud.ResetRequests()
	began := time.Now()
	for !l.rebuildOnce(t) {
		l.kills++
		l.skew.Add(int64(crashLease + 5*time.Second))
	}
	again := len(l.copies) - l.need
	t.Logf("rebuilt the ledger of %d objects in %.1f s with %d kills; %d of %d HEAD requests to the source and copies were repeated, up to %d were allowed; requests to the source %v, to the destination %v",
		l.n, time.Since(began).Seconds(), l.kills, again, len(l.copies), l.allowed, l.Cloud.BucketRequests(demo.Source), l.Cloud.BucketRequests(demo.Copy))
	if int64(again) > l.allowed {
		t.Errorf("got %d requests repeated, want at most %d", again, l.allowed)
	}
	if l.kills < lostKills(l.n)/4 {
		t.Errorf("got %d kills, want more", l.kills)
	}
}

// rebuildOnce starts a process that rebuilds the ledger, and kills it after a random number of requests.
// The result done is true if the process has finished.
func (l *lost) rebuildOnce(t *testing.T) (done bool) {
	t.Helper()
	var stdout, stderr lockedBuffer
	began, most := time.Now(), l.requested()+l.random.IntN(2*l.need/lostKills(l.n))
	cmd := l.start(t, &stdout, &stderr, "backfill", "--take-over", "--json")
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for killed := l.kills == lostKills(l.n); ; {
		select {
		case err := <-ended:
			code := cmd.ProcessState.ExitCode()
			if code > 0 {
				t.Fatalf("got %v after %d kills; stderr:\n%s", err, l.kills, stderr.String())
			}
			return code == 0
		case <-tick.C:
			if killed || l.requested() < most {
				continue
			}
			time.Sleep(time.Duration(l.random.IntN(50)) * time.Millisecond)
			if err := cmd.Process.Signal(syscall.SIGKILL); err == nil {
				l.allow(began, time.Now())
			}
			killed = true
		}
	}
}

// requested returns how many HEAD requests to the source and copies were requested.
func (l *lost) requested() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.copies)
}

// checkCopies checks that every object has a readable copy of its current version under the right key,
// that copies were adopted if they could be, and that objects under other keys are untouched.
func (l *lost) checkCopies(t *testing.T) {
	t.Helper()
	for i := range l.n {
		key := lostKey(i)
		want, _ := l.Source.Object(key)
		got, ok := l.Destination.Object(key)
		if !ok || got.Size != want.Size || got.Checksum != want.Checksum || got.KeyARN != l.ConsumerKey.ARN() {
			t.Fatalf("%s: got the copy %+v, %v, want a copy of %+v", key, got, ok, want)
		}
		if _, err := l.Destination.Read(key); err != nil {
			t.Fatal(err)
		}
		if isNew := got.LastModified.After(l.at); isNew == fateOf(i).isAdopted() {
			t.Fatalf("%s: got a copy of %s, fate %d, and the ledger was lost at %s", key, got.LastModified, fateOf(i), l.at)
		}
	}
	for i := range lostOthers {
		if content, err := l.Destination.Read(l.otherKey(i)); err != nil || string(content) != "other" {
			t.Errorf("%s: got %q, %v, want the object of the other writer", l.otherKey(i), content, err)
		}
	}
	if n := len(l.Destination.Keys()); n != l.n+lostOthers {
		t.Errorf("got %d objects at the destination, want %d", n, l.n+lostOthers)
	}
}

// checkLedger checks that the ledger has one entry for each object, and that the entries of adopted
// copies say that they are never deleted.
func (l *lost) checkLedger(t *testing.T) {
	t.Helper()
	n := 0
	for entry, err := range checkpoint.Entries(t.Context(), l.store(t), demo.Mapping) {
		if err != nil {
			t.Fatal(err)
		}
		source, _ := l.Source.Object(lostKey(n))
		copied, _ := l.Destination.Object(lostKey(n))
		isKept := entry.Missed == record.NeverDeleted
		if entry.Key != source.Key || strings.Trim(entry.Source.ETag, `"`) != source.ETag || strings.Trim(entry.DestinationETag, `"`) != copied.ETag ||
			entry.KeyARN != copied.KeyARN || isKept != fateOf(n).isAdopted() {
			t.Fatalf("got the entry %+v, want one for the copy %+v of %+v, fate %d", entry, copied, source, fateOf(n))
		}
		n++
	}
	if n != l.n {
		t.Errorf("got %d entries, want %d", n, l.n)
	}
}

// checkUnchanged checks that the next pass only lists the source.
func (l *lost) checkUnchanged(t *testing.T) {
	t.Helper()
	l.Cloud.ResetRequests()
	var stdout, stderr lockedBuffer
	code := exitStatus(t, l.start(t, &stdout, &stderr, "backfill", "--json"))
	if got := lastLine(t, stdout.String()); code != 0 || got.Unchanged != int64(l.n) || got.Copied != 0 {
		t.Errorf("the next pass: got exit %d, %+v, want all unchanged; stderr:\n%s", code, got, stderr.String())
	}
	if diff := cmp.Diff([]string{"ListObjectsV2"}, slices.Sorted(maps.Keys(l.Cloud.BucketRequests(demo.Source)))); diff != "" {
		t.Errorf("requests of the next pass to the source (-want +got):\n%s", diff)
	}
	// Requests of the killed processes may arrive late, so the pass may list the destination.
	for operation := range l.Cloud.BucketRequests(demo.Copy) {
		if operation != "ListObjectsV2" {
			t.Errorf("got %s at the destination in the next pass, want at most listings", operation)
		}
	}
}
