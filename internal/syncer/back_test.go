package syncer_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/copier/content"
	"syncd/internal/iam"
	"syncd/internal/plan"
	"syncd/internal/syncer"
)

// detour is a change of settings. Copies made under the changed settings make entries of the last
// generation false.
type detour struct {
	name  string
	begin func(w *world) (change, back func())
}

func detours() []detour {
	return []detour{
		{"key", func(w *world) (change, back func()) {
			first, second := w.copies.KeyARN, w.cloud.Account(consumer).CreateKey(region, nil).ARN()
			w.options.Rekey = true
			return func() { w.copies.KeyARN = second }, func() { w.copies.KeyARN = first }
		}},
		{"storage class", func(w *world) (change, back func()) {
			return func() { w.copies.StorageClass = "STANDARD_IA" }, func() { w.copies.StorageClass = "" }
		}},
		{"source", func(w *world) (change, back func()) {
			policy := iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},
				"Action":"s3:*","Resource":["arn:aws:s3:::owner-other","arn:aws:s3:::owner-other/*"]}]}`, consumer))
			other := w.cloud.Account(owner).CreateBucket("owner-other", region, awsfake.BucketOptions{Policy: policy})
			for i := range detourKeys {
				other.Put(name(i), awsfake.BytesBody([]byte("of the other source")), awsfake.PutOptions{})
			}
			use := func(bucket string) func() {
				return func() { w.copies.SourcePlace.Bucket, w.live.Place.Bucket = bucket, bucket }
			}
			return use("owner-other"), use("owner-data")
		}},
		{"source prefix", func(w *world) (change, back func()) {
			for i := range detourKeys {
				w.source.Put("in/"+name(i), awsfake.BytesBody([]byte("of the other prefix")), awsfake.PutOptions{})
			}
			// Both settings copy to the same destination keys.
			w.copies.SourcePlace.Prefix = ""
			return func() { w.copies.SourcePlace.Prefix = "in/" }, func() { w.copies.SourcePlace.Prefix = "" }
		}},
		{"destination prefix", func(w *world) (change, back func()) {
			for i := range detourKeys {
				w.source.Put("p/"+name(i), awsfake.BytesBody([]byte("under p")), awsfake.PutOptions{})
			}
			// The object k is copied to the destination key that the copy of p/k had.
			return func() { w.copies.DestinationPlace.Prefix = "p/" }, func() { w.copies.DestinationPlace.Prefix = "" }
		}},
	}
}

const detourKeys = 20

// TestSettingsThatAreChangedAndPutBack copies most objects under other settings, drains or kills
// that pass, at once or after a save, and restores the settings. It checks that in the end the
// destination and the ledger match the source under the restored settings.
func TestSettingsThatAreChangedAndPutBack(t *testing.T) {
	skipIfShort(t)
	for _, store := range stores() {
		for _, d := range detours() {
			for _, end := range []string{"drained", "killed after a save", "killed before a save"} {
				t.Run(fmt.Sprintf("%s, %s, %s", store, d.name, end), func(t *testing.T) {
					checkpointtest.Bubble(t, func(t *testing.T) { putBack(t, store, d, end, false) })
				})
			}
		}
	}
}

// TestRelaySettingsThatAreChangedAndPutBack is like TestSettingsThatAreChangedAndPutBack, but for
// relays, which look for an existing copy before they copy again.
func TestRelaySettingsThatAreChangedAndPutBack(t *testing.T) {
	for _, d := range detours() {
		t.Run(d.name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) { putBack(t, "S3", d, "killed before a save", true) })
		})
	}
}

func putBack(t *testing.T, store string, d detour, end string, relay bool) {
	t.Helper()
	w := newWorld(t)
	w.both()
	write := "CopyObject"
	if relay {
		w.copies.Relay, w.copies.Buffers = true, content.NewBuffers(32<<20)
		write = "PutObject"
	}
	for i := range detourKeys {
		w.put(name(i))
	}
	change, back := d.begin(w)
	first := w.start(t, store)
	if got, err := first.run(t); err != nil || got.Exit != 0 {
		t.Fatalf("first pass: got %+v, %v", got, err)
	}
	first.finish(t)

	time.Sleep(time.Hour)
	change()
	if end != "killed before a save" {
		w.cloud.SetLatency(700 * time.Millisecond)
	}
	second := w.start(t, store)
	var copies atomic.Int64
	stop := w.cloud.Inject(awsfake.Fault{Operation: write, Bucket: "consumer-copy", Do: func() {
		if copies.Add(1) != detourKeys-1 {
			return
		}
		if end == "drained" {
			second.drain()
		} else {
			second.kill()
		}
	}})
	got, err := second.run(t)
	if end == "drained" && !errors.Is(err, syncer.ErrDrained) || err == nil {
		t.Fatalf("got %+v, %v, want it %s", got, err, end)
	}
	stop()
	second.finish(t)
	w.cloud.SetLatency(0)

	back()
	third := w.start(t, store)
	for i := range 3 { // the second pass settles what the first could not
		if i == 2 {
			time.Sleep(lateRequests)
		}
		if got, err := third.run(t); err != nil || got.Exit != 0 {
			t.Errorf("back: got %+v, %v, want all settled", got, err)
		}
	}
	w.cloud.ResetRequests()
	got, err = third.run(t)
	if there := w.cloud.BucketRequests("consumer-copy"); err != nil || got.Copied != 0 || len(there) != 0 {
		t.Errorf("once more: got %+v, %v, and %v sent to the destination, want no requests there", got, err, there)
	}
	third.finish(t)
	w.wantInStep(t)
}

// wantInStep checks that each source object has its copy under the world's settings.
func (w *world) wantInStep(t *testing.T) {
	t.Helper()
	source := w.source
	for _, key := range source.Keys() {
		inside, ok := strings.CutPrefix(key, w.copies.SourcePlace.Prefix)
		if !ok {
			continue
		}
		original, _ := source.Object(key)
		copied, ok := w.destination.Object(w.copies.DestinationPlace.Prefix + inside)
		class := w.copies.StorageClass
		if class == "" {
			class = "STANDARD"
		}
		if !ok || copied.Checksum != original.Checksum || copied.KeyARN != w.copies.KeyARN || copied.StorageClass != class {
			t.Errorf("%s: got %+v at the destination, want the content of %+v under %s in %s", key, copied, original, w.copies.KeyARN, class)
		}
	}
}

// TestLostAnswerUnderAnotherKey checks the result when the response to a copy under another KMS key
// is lost and the former key is then configured again.
func TestLostAnswerUnderAnotherKey(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.both()
		w.copies.Relay, w.copies.Buffers, w.options.Rekey = true, content.NewBuffers(32<<20), true
		w.fill(2)
		pass := func(want int64) {
			t.Helper()
			p := w.start(t, "S3")
			defer p.finish(t)
			if got, err := p.run(t); err != nil || got.Copied+got.Unchanged != want || got.Quarantined[plan.Foreign] > 0 {
				t.Fatalf("got %+v, %v, want %d in step and nothing foreign", got, err, want)
			}
			time.Sleep(time.Hour)
		}
		pass(2)
		first := w.copies.KeyARN
		w.copies.KeyARN = w.cloud.Account(consumer).CreateKey(region, nil).ARN()
		found := w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Bucket: "consumer-copy", Key: name(1), Kind: awsfake.Unavailable})
		answered := w.cloud.Inject(awsfake.Fault{Operation: "PutObject", Bucket: "consumer-copy", Key: name(1), Kind: awsfake.LoseAnswer})
		pass(1)
		found()
		answered()
		w.copies.KeyARN = first
		pass(2)
		w.wantInStep(t)
	})
}
