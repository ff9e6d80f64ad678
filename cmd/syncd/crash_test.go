package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/assembly"
	"syncd/internal/awsfake"
	fakestore "syncd/internal/awsfake/s3/store"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/demo"
	"syncd/internal/invocation"
)

// The total number of kills in TestCrash, which is divided among the four ways of crashWays.
// TestCrashUnderChangedSettings kills a quarter as often, but at least as often as the default. The
// make target crash sets higher numbers.
var crashKills = flag.Int("kills", 2, "how often TestCrash kills the process; TestCrashUnderChangedSettings kills it a quarter as often")

const (
	crashObjects  = 1200
	crashLarge    = 3  // objects that are copied in parts
	crashPage     = 10 // objects in a page of the listing
	crashSlow     = 75 // one in so many objects takes crashDelay to copy
	crashDelay    = 300 * time.Millisecond
	crashFlight   = 64
	crashInterval = 100 * time.Millisecond // checkpoint.flush_interval
	crashLease    = 15 * time.Second
)

// TestCrash kills the real process repeatedly at random moments while its source changes and objects are
// deleted, and checks the copies and the ledger after each kill.
func TestCrash(t *testing.T) {
	skipIfShort(t)
	for _, way := range crashWays(*crashKills) {
		t.Run(way.String(), func(t *testing.T) {
			way.deletes = true
			c := newCrash(t, way)
			for range way.kills {
				c.killOnce(t)
			}
			c.finish(t)
		})
	}
}

// crashWay is where the ledger is stored, how objects are copied, whether copies of deleted objects are
// deleted, and the number of kills.
type crashWay struct {
	onS3, relay, deletes bool
	kills                int
}

func (w crashWay) String() string {
	return map[bool]string{false: "file", true: "s3"}[w.onS3] + map[bool]string{false: " server-side", true: " relay"}[w.relay]
}

// crashWays divides kills among the ways. The ways are ordered so that the first two differ
// both in the place of the ledger and in the method of copying.
func crashWays(kills int) (ways []crashWay) {
	for i, w := range []crashWay{{onS3: true}, {relay: true}, {}, {onS3: true, relay: true}} {
		if w.kills = (kills + 3 - i) / 4; w.kills > 0 {
			ways = append(ways, w)
		}
	}
	return ways
}

// crash is a site whose source changes and whose process is killed.
type crash struct {
	*site
	random  *rand.Rand
	deletes bool
	state   *awsfake.Bucket // contains the ledger, nil if a folder does
	slow    atomic.Int64    // requests that are being delayed
	skew    *atomic.Int64   // how far the clock of the two accounts is ahead, in nanoseconds

	mu       sync.Mutex
	contents map[string]map[string]bool // by key of the copy: every content of the source object
	copies   []time.Time                // when each copy was requested; in TestLostLedger also each HEAD of a source object

	kills   int
	divided int   // kills of passes that had settled several ranges of keys
	allowed int64 // repeated copies that are allowed
	version int

	settings *crashSettings // the settings that change between kills, or nil
}

func newCrash(t *testing.T, way crashWay) *crash {
	t.Helper()
	c := newCrashSite(t, way)
	// Short pages, so that a pass walks several ranges of keys.
	c.Source.Configure(func(set *fakestore.Settings) { set.PageKeys = crashPage })
	for i := range crashObjects {
		c.put("data/", i)
	}
	_, err := c.sdk().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: aws.String(demo.Copy), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := crashSlow / 2; i < crashObjects; i += crashSlow {
		for _, operation := range []string{"CopyObject", "PutObject"} {
			c.Cloud.Inject(awsfake.Fault{Operation: operation, Bucket: demo.Copy, Key: copyOf(i), Kind: awsfake.None, Do: c.delay})
		}
	}
	for _, operation := range []string{"CopyObject", "PutObject", "CompleteMultipartUpload"} {
		c.Cloud.Inject(awsfake.Fault{Operation: operation, Bucket: demo.Copy, Do: c.noteCopy})
		// The response is lost, but the object was written.
		c.Cloud.Inject(awsfake.Fault{Operation: operation, Bucket: demo.Copy, Kind: awsfake.LoseAnswer, Probability: 0.005, Do: c.allowOne})
	}
	return c
}

// newCrashSite returns a site with an empty source.
func newCrashSite(t *testing.T, way crashWay) *crash {
	t.Helper()
	skew := new(atomic.Int64)
	clock := func() time.Time { return time.Now().Add(time.Duration(skew.Load())) }
	s := newSiteAt(t, clock, way.edit)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	c := &crash{site: s, deletes: way.deletes, skew: skew, random: rand.New(rand.NewPCG(seed, 0)), contents: map[string]map[string]bool{}} //nolint:gosec // a test
	if way.relay {
		s.addReader()
	}
	if way.deletes {
		s.addDeletes()
	}
	if way.onS3 {
		c.state = s.Cloud.Account(demo.Consumer).CreateBucket("consumer-state", demo.Region, awsfake.BucketOptions{})
	}
	return c
}

// edit edits the configuration of a site.
func (w crashWay) edit(text string) string {
	text += fmt.Sprintf("    copy: {concurrency: %d, multipart_above: 5MiB, part_size: 5MiB}\n", crashFlight)
	if w.deletes {
		text += "    delete: {enabled: true, max_objects: 100000, max_percent: 100}\n"
	}
	section := fmt.Sprintf("checkpoint: {flush_interval: %s}\n", crashInterval)
	if w.onS3 {
		section = fmt.Sprintf("checkpoint: {flush_interval: %s, lease: %s}\n", crashInterval, crashLease)
		_, rest, _ := strings.Cut(text, "\naws:")
		text = "state: s3://consumer-state/syncd/\naws:" + rest
	}
	if w.relay {
		text = twoRoles(text)
	}
	return section + text
}

// put writes the next version of an object under a prefix of the source. Each version has another
// size than the last one, and every second version has no checksum. The object is copied to the
// same key from either prefix.
func (c *crash) put(prefix string, i int) {
	c.version++
	copied, content := copyOf(i), fmt.Sprintf("%04d in version %d", i, c.version)
	if i%(crashObjects/crashLarge) == 0 {
		content += strings.Repeat(content, 9<<20/len(content)) // two parts, both server-side and relayed
	}
	content += strings.Repeat(".", c.random.IntN(100))
	if c.contents[copied] == nil {
		c.contents[copied] = map[string]bool{}
	}
	c.contents[copied][content] = true
	c.Source.Put(fmt.Sprintf("%s%04d", prefix, i), awsfake.BytesBody([]byte(content)), awsfake.PutOptions{NoChecksum: c.version%2 == 0})
}

// copyOf returns the key of an object's copy.
func copyOf(i int) string { return fmt.Sprintf("data/%04d", i) }

// delay delays a request. If its sender is killed meanwhile, the request still takes effect.
func (c *crash) delay() {
	c.slow.Add(1)
	defer c.slow.Add(-1)
	time.Sleep(crashDelay)
}

func (c *crash) allowOne() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.allowed++
}

func (c *crash) noteCopy() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.copies = append(c.copies, time.Now())
}

// killOnce changes the source, lets the process work for a random time, kills it, and checks the
// result.
func (c *crash) killOnce(t *testing.T) {
	t.Helper()
	for range c.random.IntN(60) {
		c.put("data/", c.random.IntN(crashObjects))
	}
	c.remove()
	var stdout, stderr lockedBuffer
	began := time.Now()
	cmd := c.start(t, &stdout, &stderr, "backfill", "--rekey")
	c.changeFor(t.Context(), time.Duration(c.random.IntN(700))*time.Millisecond)
	err := cmd.Process.Signal(syscall.SIGKILL)
	if code := exitStatus(t, cmd); err == nil && code != -1 && code != 0 {
		t.Fatalf("got exit %d before the kill; stderr:\n%s", code, stderr.String())
	}
	c.kills++
	c.allow(began, time.Now())
	c.checkDeletes(t)
	// The next process waits until the lease of the killed process expires, by the clock of the
	// store.
	c.skew.Add(int64(crashLease + 5*time.Second))
	c.age()
	progress, ok, err := record.Unfinished(t.Context(), c.store(t), demo.Mapping)
	if err != nil {
		t.Fatal(err)
	}
	if ok && len(progress.Settled) > 1 {
		c.divided++
	}
	c.check(t)
}

// changeFor overwrites objects for the duration d while the process copies them.
func (c *crash) changeFor(ctx context.Context, d time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.put("data/", c.random.IntN(crashObjects))
		}
	}
}

// allow adds the number of copies that may be repeated after a kill: the copies in flight, and the
// copies since the last save was due. It counts the copies of two save intervals, because a save
// may have been in progress at the kill, and an interval starts only when the previous save ends.
func (c *crash) allow(began, killed time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lost int64
	for _, at := range slices.Backward(c.copies) {
		if at.Before(began) || killed.Sub(at) > 2*crashInterval+flushSlack {
			break
		}
		lost++
	}
	c.allowed += lost + 2*crashFlight
}

// flushSlack is how long a save may take on a busy machine.
const flushSlack = 300 * time.Millisecond

// check checks the invariants while no process runs: every copy is complete, and every copy in the
// ledger exists.
func (c *crash) check(t *testing.T) {
	t.Helper()
	for _, key := range c.Destination.Keys() {
		content, err := c.Destination.Read(key)
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if !c.contents[key][string(content)] {
			t.Fatalf("%s: holds %q, which the source never held", key, content)
		}
	}
	if c.settings != nil {
		return // copies made after the last generation may have other settings
	}
	store := c.store(t)
	for entry, err := range checkpoint.Entries(t.Context(), store, demo.Mapping) {
		if errors.Is(err, record.ErrNoCheckpoint) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		object, ok := c.Destination.Object(entry.Key)
		if !ok && c.isDeleted(entry.Key) {
			continue // the killed process could not record the delete
		}
		if !ok || entry.KeyARN != c.ConsumerKey.ARN() || object.KeyARN != entry.KeyARN {
			t.Fatalf("%s: the ledger has %+v, the destination %+v, %v", entry.Key, entry, object, ok)
		}
	}
}

func (c *crash) store(t *testing.T) store.Store {
	t.Helper()
	var out lockedBuffer
	p := invocation.Process{Stdout: &out, Stderr: &out, Now: time.Now, Ambient: c.SignIn()}
	state, err := assembly.OpenState(t.Context(), p, invocation.Flags{Config: c.config}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return state.Store
}

// finish runs the process until it ends, and compares both sides and the number of copies.
func (c *crash) finish(t *testing.T) {
	t.Helper()
	if got := c.run(t.Context(), "backfill"); got.code != 0 {
		t.Fatalf("the last pass: got exit %d; stderr:\n%s", got.code, got.stderr)
	}
	// A resumed pass misses objects that were overwritten after they were listed; the next pass
	// copies them. A pass that copies something in parts also aborts uploads that no ledger
	// records.
	c.put("data/", 0)
	last := c.run(t.Context(), "backfill", "--log-level", "debug")
	if got := last; got.code != 0 {
		t.Fatalf("one more pass: got exit %d; stderr:\n%s", got.code, got.stderr)
	}
	c.finishDeletes(t)
	for i := range crashObjects {
		key := copyOf(i)
		want, err := c.Source.Read(key)
		if err != nil {
			continue // deleted, see finishDeletes
		}
		if got, err := c.Destination.Read(key); err != nil || string(got) != string(want) {
			t.Errorf("%s: got %q, %v, want %q", key, got, err, want)
		}
	}
	if n := c.Destination.Uploads(); n != 0 {
		t.Errorf("got %d unfinished uploads, want none; stderr:\n%s", n, last.stderr)
	}
	again := c.copiedAgain()
	if c.kills >= 20 && c.divided == 0 { // how many there are depends on the speed of the machine
		t.Errorf("got %d kills of passes that had settled several ranges, of %d, want some", c.divided, c.kills)
	}
	t.Logf("%d kills, %d of passes that had settled several ranges; %d copies, %d of them again; up to %d were allowed", c.kills, c.divided, len(c.copies), again, c.allowed)
	if again > c.allowed {
		t.Errorf("got %d objects copied again, want at most %d", again, c.allowed)
	}
}

// copiedAgain counts the copies of each source version except its first copy. The destination
// bucket keeps every version, so that every copy can be counted.
func (c *crash) copiedAgain() (again int64) {
	for _, key := range c.Destination.Keys() {
		seen := map[string]bool{}
		for _, version := range c.Destination.Versions(key) {
			if seen[version.Checksum] {
				again++
			}
			seen[version.Checksum] = true
		}
	}
	return again
}
