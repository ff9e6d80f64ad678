package syncer_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/transfer"
)

// glob is a plan.Pattern for tests: it matches keys with that prefix.
type glob string

func (g glob) Match(key string) bool { return strings.HasPrefix(key, string(g)) }

// TestPassAddsUp checks the summary of a pass with objects of every outcome.
func TestPassAddsUp(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(10)
		w.put("_tmp/a")
		w.put("_tmp/b")
		w.source.Put("large", awsfake.SyntheticBody(100, 1), awsfake.PutOptions{})
		w.options.Rules.Filter = plan.Filter{Exclude: []plan.Pattern{glob("_tmp/")}, MaxSize: 50}
		s := w.open(t)
		first := mustRun(t, s)
		want := syncer.Summary{
			Mapping: "m", Pass: 1, Generation: 1, Listed: 13, Copied: 10, CopiedBytes: 10,
			Skipped: map[string]int64{"excluded": 2, "too_large": 1}, Quarantined: map[string]int64{},
			Requests: map[string]int64{"ListObjectsV2": 1, "CopyObject": 10}, Result: "complete",
		}
		if diff := cmp.Diff(want, first); diff != "" {
			t.Errorf("first pass (-want +got):\n%s", diff)
		}

		time.Sleep(time.Minute)
		w.put(name(3))
		if got := mustRun(t, s); got.Copied != 1 { // the copier now knows that the role may send If-Match
			t.Fatalf("got %+v, want one copied", got)
		}
		time.Sleep(time.Minute)
		w.put(name(3))           // changed
		w.put("new")             // missing
		w.source.Delete(name(4)) // gone; its copy stays
		w.source.Put(name(5), awsfake.BytesBody([]byte("xx")), awsfake.PutOptions{})
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(5), Kind: awsfake.AccessDenied})
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "new", Times: 1, Kind: awsfake.Throttle})
		last := mustRun(t, s)
		want = syncer.Summary{
			Mapping: "m", Pass: 3, Generation: 3, Listed: 13, Copied: 2, CopiedBytes: 2, Unchanged: 7, Kept: 1,
			Skipped: map[string]int64{"excluded": 2, "too_large": 1}, Quarantined: map[string]int64{"denied": 1},
			// The denied object is looked up in a listing, because S3 also denies reading an object
			// that does not exist.
			Requests: map[string]int64{"ListObjectsV2": 2, "CopyObject": 4}, Throttled: 1, Result: "quarantined", Exit: 3, Seconds: last.Seconds,
		}
		if diff := cmp.Diff(want, last); diff != "" {
			t.Errorf("last pass (-want +got):\n%s", diff)
		}
	})
}

func TestSecondPassCopiesNothing(t *testing.T) {
	skipIfShort(t)
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(2500)
		s := w.open(t)
		mustRun(t, s)
		w.cloud.ResetRequests()
		if got := mustRun(t, s); got.Unchanged != 2500 || got.Copied != 0 {
			t.Errorf("got %d unchanged, %d copied, want 2500 and none", got.Unchanged, got.Copied)
		}
		if diff := cmp.Diff(awsfake.Requests{"ListObjectsV2": 3}, w.cloud.Requests()); diff != "" {
			t.Errorf("requests of a pass in which nothing changed (-want +got):\n%s", diff)
		}
	})
}

// TestPassRemembersWhatWasCopied checks the ledger entries of copied objects.
func TestPassRemembersWhatWasCopied(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(1)
		time.Sleep(time.Hour)
		s := w.open(t)
		mustRun(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		original, _ := w.source.Object(name(0))
		copied, _ := w.destination.Object(name(0))
		want := record.Entry{
			Key: name(0), Source: transfer.Version{ETag: `"` + original.ETag + `"`, Size: 1, LastModified: original.LastModified},
			DestinationETag: `"` + copied.ETag + `"`, DestinationVersionID: copied.VersionID, KeyARN: w.key.ARN(),
			Checksum: "crc64nvme:" + copied.Checksum, CopiedAt: time.Now(), Pass: 1,
		}
		if diff := cmp.Diff(want, w.entries(t)[name(0)]); diff != "" {
			t.Errorf("entry (-want +got):\n%s", diff)
		}
	})
}

// TestPoisonedObjectIsSetAside makes the copy of a previously copied object fail. It checks that
// the ledger drops the entry of its copy, because a request whose response was lost may have
// replaced the copy.
func TestPoisonedObjectIsSetAside(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(20)
		s := w.open(t)
		mustRun(t, s)
		began := time.Now()
		time.Sleep(time.Minute)
		w.source.Put(name(7), awsfake.BytesBody([]byte("new")), awsfake.PutOptions{})
		repair := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(7), Kind: awsfake.AccessDenied})
		for attempt := int64(1); attempt <= 2; attempt++ {
			got := mustRun(t, s)
			if got.Unchanged != 19 || got.Quarantined["denied"] != 1 || got.Exit != 3 {
				t.Fatalf("got %+v, want 19 unchanged and one denied", got)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			aside := w.quarantine(t)[name(7)]
			poisoned, _ := w.source.Object(name(7))
			if aside.Reason != "denied" || aside.Attempts != attempt || aside.Source.ETag != `"`+poisoned.ETag+`"` || aside.Source.Size != 3 ||
				!strings.Contains(aside.Detail, name(7)) || !aside.FirstAt.Equal(began.Add(time.Minute)) {
				t.Errorf("attempt %d: got %+v, want the reason, the version and the attempts recorded", attempt, aside)
			}
			if entry, ok := w.entries(t)[name(7)]; ok {
				t.Errorf("got %+v in the ledger, want nothing of an object set aside", entry)
			}
			if held := mustRun(t, s); held.Held != 1 || held.Quarantined["denied"] != 1 || held.Exit != 3 {
				t.Errorf("attempt %d: got %+v, want the object held until it is due", attempt, held)
			}
			time.Sleep(10 * time.Minute)
		}
		repair()
		if got := mustRun(t, s); got.Copied != 1 || got.Exit != 0 {
			t.Errorf("got %+v, want the repaired object copied", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if aside := w.quarantine(t); len(aside) != 0 {
			t.Errorf("got %v set aside after the repair, want none", aside)
		}
	})
}

// TestVanishedObjectIsSkipped checks that objects deleted between listing and copy are skipped as
// gone, and that the existing copy of one of them keeps its ledger entry.
func TestVanishedObjectIsSkipped(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(2)
		s := w.open(t)
		mustRun(t, s)
		time.Sleep(time.Minute)
		w.put(name(1))
		w.put("new")
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Times: 1, Do: func() {
			w.source.Delete(name(1))
			w.source.Delete("new")
		}})
		got := mustRun(t, s)
		if diff := cmp.Diff(map[string]int64{"gone": 2}, got.Skipped); diff != "" || got.Exit != 0 || got.Listed != 3 {
			t.Errorf("got %+v, want both skipped as gone", got)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := w.entries(t); len(got) != 2 || got[name(1)].Key == "" {
			t.Errorf("got %d entries, want those of the two copies that exist", len(got))
		}
	})
}

// TestSlowObjectStopsNoOther checks that all other objects are copied while the copy of one object
// hangs.
func TestSlowObjectStopsNoOther(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(1000)
		const slow = 10 * time.Minute
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(3), Times: 1, Do: func() { time.Sleep(slow) }})
		w.cloud.SetLatency(10 * time.Millisecond)
		s := w.open(t)
		start := time.Now()
		time.AfterFunc(time.Minute, func() {
			if p, ok := s.Progress(); !ok || p.Settled != 999 || p.Copied != 999 || !p.Complete {
				t.Errorf("got progress %+v, %v, want all other objects settled after a minute", p, ok)
			}
		})
		if got := mustRun(t, s); got.Copied != 1000 {
			t.Errorf("got %+v, want all copied", got)
		}
		if took := time.Since(start); took > slow+time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

// TestSecondRunWaits checks that a second Run waits until the first pass has ended.
func TestSecondRunWaits(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(100)
		w.cloud.SetLatency(time.Second)
		s := w.open(t)
		summaries := make(chan syncer.Summary)
		for range 2 {
			go func() {
				got, err := s.Run(t.Context())
				if err != nil {
					t.Error(err)
				}
				summaries <- got
			}()
		}
		first, second := <-summaries, <-summaries
		if first.Copied != 100 || second.Unchanged != 100 || first.Pass != 1 || second.Pass != 2 {
			t.Errorf("got %+v and then %+v, want the second after the first", first, second)
		}
	})
}

func TestProgress(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(1500)
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(0), Times: 1, Kind: awsfake.AccessDenied})
		s := w.open(t)
		if p, ok := s.Progress(); ok {
			t.Errorf("got %+v before the first pass, want none", p)
		}
		mustRun(t, s)
		if p, ok := s.Progress(); ok {
			t.Errorf("got %+v between passes, want none", p)
		}
		time.Sleep(time.Minute)
		for i := range 500 {
			w.source.Put(name(i), awsfake.BytesBody([]byte("new")), awsfake.PutOptions{})
		}
		w.cloud.SetLatency(time.Second)
		var mu sync.Mutex
		var seen []syncer.Progress
		look := func() {
			mu.Lock()
			defer mu.Unlock()
			p, ok := s.Progress()
			if !ok {
				t.Error("got no progress during a pass")
			}
			seen = append(seen, p)
		}
		time.AfterFunc(500*time.Millisecond, look)                // before the first page
		time.AfterFunc(1500*time.Millisecond, look)               // after the first page
		time.AfterFunc(10*time.Second+500*time.Millisecond, look) // in the middle of the copies
		mustRun(t, s)
		began := seen[0].OldestRange
		want := []syncer.Progress{
			{Expected: 1499, Ranges: 1, OldestRange: began},
			{Listed: 1000, Bytes: 1500, Expected: 1499, Ranges: 1, OldestRange: began},
			{Listed: 1500, Bytes: 1500, Expected: 1500, Complete: true, Settled: 72, Copied: 72, CopiedBytes: 216, Ranges: 1, OldestRange: began},
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
	})
}

func TestPassIsCounted(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(10)
		w.put("_tmp/a")
		w.options.Rules.Filter.Exclude = []plan.Pattern{glob("_tmp/")}
		repair := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(9), Kind: awsfake.AccessDenied})
		s := w.open(t)
		var mu sync.Mutex
		inFlight := 0.0
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Do: func() {
			mu.Lock()
			defer mu.Unlock()
			inFlight = max(inFlight, w.value(t, `syncd_copies_in_flight{mapping="m"}`))
		}})
		mustRun(t, s)
		success := `syncd_last_success_timestamp_seconds{mapping="m"}`
		if at, want := w.value(t, success), float64(time.Now().Unix()); at != want {
			t.Errorf("got a success at %v, want %v: setting an object aside settles it", at, want)
		}
		repair()
		time.Sleep(time.Hour)
		mustRun(t, s)
		now := float64(time.Now().Unix())
		if inFlight < 1 || inFlight > 8 {
			t.Errorf("got %v copies in flight at most, want 1 to 8", inFlight)
		}
		for series, want := range map[string]float64{
			`syncd_objects_total{mapping="m",outcome="copied"}`:            10,
			`syncd_objects_total{mapping="m",outcome="unchanged"}`:         9,
			`syncd_objects_total{mapping="m",outcome="skipped"}`:           2,
			`syncd_objects_total{mapping="m",outcome="quarantined"}`:       1,
			`syncd_actions_total{mapping="m",reason="missing"}`:            11,
			`syncd_actions_total{mapping="m",reason="unchanged"}`:          9,
			`syncd_actions_total{mapping="m",reason="excluded"}`:           2,
			`syncd_quarantined_objects_total{mapping="m",reason="denied"}`: 1,
			`syncd_copied_bytes_total{mapping="m"}`:                        10,
			`syncd_passes_total{mapping="m",result="quarantined"}`:         1,
			`syncd_passes_total{mapping="m",result="complete"}`:            1,
			`syncd_pass_duration_seconds{mapping="m"}`:                     2,
			`syncd_copies_in_flight{mapping="m"}`:                          0,
			`syncd_ledger_entries{mapping="m"}`:                            10,
			`syncd_ledger_generation{mapping="m"}`:                         2,
			success:                                                        now,
			`syncd_last_complete_listing_timestamp_seconds{mapping="m"}`:   now,
		} {
			if got := w.value(t, series); got != want {
				t.Errorf("%s: got %v, want %v", series, got, want)
			}
		}
		if n := strings.Count(w.log.String(), `msg="pass ended"`); n != 2 {
			t.Errorf("got %d lines of passes in the log, want 2:\n%s", n, w.log)
		}
	})
}
