package syncer_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/syncer"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/provenance"
)

func versioned() *s3.PutBucketVersioningInput {
	return &s3.PutBucketVersioningInput{Bucket: aws.String("owner-data"), VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}
}

// settle copies the settings of the world's copier to the options of its syncer.
func (w *world) settle() {
	w.live.Place.Prefix = w.copies.SourcePlace.Prefix
	w.options.Rules.KeyARN = w.copies.KeyARN
	w.options.Settings = provenance.Settings{
		Source:       w.copies.SourcePlace,
		Destination:  w.copies.DestinationPlace,
		KeyARN:       w.copies.KeyARN,
		StorageClass: w.copies.StorageClass,
	}
}

// pass runs one pass with a new syncer.
func (w *world) pass(t *testing.T) (syncer.Summary, error) {
	t.Helper()
	w.settle()
	s := w.open(t)
	summary, err := s.Run(t.Context())
	return summary, errors.Join(err, s.Close())
}

// TestChangedSettings changes the mapping between two passes, and checks that only the affected
// objects are copied again.
func TestChangedSettings(t *testing.T) {
	const all, inside = 10, 4
	tests := []struct {
		name   string
		change func(w *world)
		copied int64
		reason string
	}{
		{"nothing", func(*world) {}, 0, "unchanged"},
		{"destination prefix", func(w *world) { w.copies.DestinationPlace.Prefix = "p2/" }, all, "moved"},
		{"source prefix alone, so that copies go by other keys", func(w *world) { w.copies.SourcePlace.Prefix = "in/" }, inside, "moved"},
		{"both prefixes by the same step, so that keys stay", func(w *world) {
			w.copies.SourcePlace.Prefix, w.copies.DestinationPlace.Prefix = "in/", "in/"
		}, 0, "unchanged"},
		{"storage class", func(w *world) { w.copies.StorageClass = "STANDARD_IA" }, all, "wrong_class"},
		{"key, when asked for", func(w *world) {
			w.copies.KeyARN, w.options.Rekey = w.cloud.Account(consumer).CreateKey(region, nil).ARN(), true
		}, all, "wrong_key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(all - inside)
				for _, key := range []string{"in/a", "in/b", "in/c", "in/d"} {
					w.put(key)
				}
				if got, err := w.pass(t); err != nil || got.Copied != all {
					t.Fatalf("first pass: got %+v, %v", got, err)
				}
				tt.change(w)
				got, err := w.pass(t)
				if err != nil || got.Copied != tt.copied {
					t.Fatalf("got %+v, %v, want %d copied", got, err, tt.copied)
				}
				if n := w.value(t, `syncd_actions_total{mapping="m",reason="`+tt.reason+`"}`); n < float64(max(tt.copied, 1)) {
					t.Errorf("got %v actions for reason %s, want at least %d", n, tt.reason, max(tt.copied, 1))
				}
				if got, err := w.pass(t); err != nil || got.Copied != 0 {
					t.Errorf("one more pass: got %+v, %v, want nothing copied", got, err)
				}
			})
		})
	}
}

// TestSettingsOutliveAFailure checks that an object that failed in the first pass under a new
// storage class is copied by a later pass.
func TestSettingsOutliveAFailure(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(5)
		if _, err := w.pass(t); err != nil {
			t.Fatal(err)
		}
		w.copies.StorageClass = "STANDARD_IA"
		repair := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(2), Kind: awsfake.AccessDenied})
		if got, err := w.pass(t); err != nil || got.Copied != 4 || got.SetAside() != 1 {
			t.Fatalf("got %+v, %v, want 4 copied and 1 set aside", got, err)
		}
		repair()
		time.Sleep(10 * time.Minute) // until the object is due
		if got, err := w.pass(t); err != nil || got.Copied != 1 {
			t.Errorf("got %+v, %v, want the failed object copied", got, err)
		}
	})
}

// TestSettingsThatChangeTryEverythingAgain checks that a quarantined object is retried at once
// after the destination changes.
func TestSettingsThatChangeTryEverythingAgain(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(5)
		w.copies.DestinationPlace.Prefix, w.options.Settings.Destination.Prefix = "p/", "p/"
		repair := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "p/" + name(2), Kind: awsfake.AccessDenied})
		if got, err := w.pass(t); err != nil || got.Copied != 4 || got.SetAside() != 1 {
			t.Fatalf("got %+v, %v, want 4 copied and 1 set aside", got, err)
		}
		if got, err := w.pass(t); err != nil || got.Held != 1 {
			t.Fatalf("got %+v, %v, want it held", got, err)
		}
		repair()
		w.copies.DestinationPlace.Prefix, w.options.Settings.Destination.Prefix = "", ""
		if got, err := w.pass(t); err != nil || got.Copied != 5 {
			t.Errorf("got %+v, %v, want all copied to the new place", got, err)
		}
	})
}

// TestNewKeyIsRefused checks that a pass under a new KMS key reports the cost and copies nothing.
func TestNewKeyIsRefused(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(5)
		if _, err := w.pass(t); err != nil {
			t.Fatal(err)
		}
		before := w.copies.KeyARN
		w.copies.KeyARN = w.cloud.Account(consumer).CreateKey(region, nil).ARN()
		got, err := w.pass(t)
		refusal, ok := errors.AsType[*planner.RekeyError](err)
		if !ok || got.Copied != 0 || got.Exit != 1 {
			t.Fatalf("got %+v, %v, want a refusal", got, err)
		}
		want := &planner.RekeyError{From: before, To: w.copies.KeyARN, Objects: 5, Bytes: 5}
		if diff := cmp.Diff(want, refusal); diff != "" {
			t.Errorf("refusal (-want +got):\n%s", diff)
		}
	})
}

// TestAdoption starts with a destination that another tool filled. It checks that complete copies
// under the right KMS key are adopted, and that other objects count as foreign until OverwriteAny
// allows them to be replaced.
func TestAdoption(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(6)
		there := w.live
		there.Place.Bucket, there.Place.Account = "consumer-copy", consumer
		w.options.Destination = there
		right := awsfake.PutOptions{KeyARN: w.key.ARN()}
		w.destination.Put(name(0), awsfake.BytesBody([]byte("x")), right)                                                                              // adopted
		w.destination.Put(name(1), awsfake.BytesBody([]byte("longer")), right)                                                                         // another size
		w.destination.Put(name(2), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{KeyARN: w.cloud.Account(consumer).CreateKey(region, nil).ARN()}) // another key
		w.destination.Put(name(4), awsfake.BytesBody([]byte("x")), right)                                                                              // adopted
		w.destination.Put(name(5), awsfake.BytesBody([]byte("y")), right)                                                                              // other content, in the same second
		w.destination.Put("foreign", awsfake.BytesBody([]byte("x")), right)
		w.cloud.ResetRequests()
		got, err := w.pass(t)
		if err != nil || got.Adopted != 2 || got.Copied != 1 || got.Quarantined["foreign"] != 3 || got.Listed != 6 || got.Exit != 3 {
			t.Fatalf("got %+v, %v, want 2 adopted, one copied and 3 foreign", got, err)
		}
		if n := w.cloud.BucketRequests("consumer-copy")["HeadObject"]; n != 4 {
			t.Errorf("got %d HEADs at the destination, want one for each object of equal size", n)
		}
		if n := w.cloud.BucketRequests("owner-data")["HeadObject"]; n != 3 {
			t.Errorf("got %d HEADs at the source, want one for each object encrypted with the key", n)
		}
		entry, object := w.entries(t)[name(0)], func() awsfake.ObjectInfo { o, _ := w.destination.Object(name(0)); return o }()
		if entry.DestinationETag != `"`+object.ETag+`"` || entry.DestinationVersionID != object.VersionID || entry.KeyARN != w.key.ARN() {
			t.Errorf("got %+v in the ledger, want the object at the destination: %+v", entry, object)
		}
		w.cloud.ResetRequests()
		if got, err := w.pass(t); err != nil || got.Unchanged != 3 || got.Held != 3 {
			t.Errorf("second pass: got %+v, %v, want the three unchanged and the rest held", got, err)
		}
		if got := w.cloud.BucketRequests("consumer-copy"); len(got) != 0 {
			t.Errorf("second pass: got requests to the destination %v, want none", got)
		}
		w.copies.OverwriteAny, w.options.Rules.OverwriteAny = true, true
		if got, err := w.pass(t); err != nil || got.Unchanged != 3 || got.Copied != 3 || got.Exit != 0 {
			t.Errorf("with overwrite any: got %+v, %v, want the three foreign objects replaced", got, err)
		}
	})
}

// TestAdoptionThatIsDenied uses roles that can only read the destination's objects, only list the
// destination, or do neither. It checks that copies are adopted only if they can be read, and that
// an existing object is never replaced.
func TestAdoptionThatIsDenied(t *testing.T) {
	for _, tt := range []struct {
		denied  []string
		adopted int64
		aside   map[string]int64
	}{
		{[]string{"ListObjectsV2"}, 1, map[string]int64{}},
		{[]string{"HeadObject"}, 0, map[string]int64{"foreign": 1}},
		{[]string{"ListObjectsV2", "HeadObject"}, 0, map[string]int64{"denied": 1}},
	} {
		t.Run(strings.Join(tt.denied, " and "), func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(3)
				there := w.live
				there.Place.Bucket, there.Place.Account = "consumer-copy", consumer
				w.options.Destination = there
				w.destination.Put(name(0), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{KeyARN: w.key.ARN()})
				for _, operation := range tt.denied {
					w.cloud.Inject(awsfake.Fault{Operation: operation, Bucket: "consumer-copy", Kind: awsfake.AccessDenied})
				}
				got, err := w.pass(t)
				if err != nil || got.Adopted != tt.adopted || got.Copied != 2 || !cmp.Equal(got.Quarantined, tt.aside) {
					t.Errorf("got %+v, %v, want %d adopted, two copied, and %v set aside", got, err, tt.adopted, tt.aside)
				}
			})
		})
	}
}

// TestLedgerThatIsDamaged checks that a pass with a damaged ledger adopts the copies at the
// destination.
func TestLedgerThatIsDamaged(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(4)
		there := w.live
		there.Place.Bucket, there.Place.Account = "consumer-copy", consumer
		w.options.Destination = there
		if _, err := w.pass(t); err != nil {
			t.Fatal(err)
		}
		damage(t, w.records(t, "manifest-*")...)
		got, err := w.pass(t)
		if err != nil || got.Adopted != 4 || got.Copied != 0 {
			t.Errorf("got %+v, %v, want all adopted", got, err)
		}
		if !strings.Contains(w.log.String(), "no complete generation of the ledger found") {
			t.Error("the log does not report the damage")
		}
	})
}

// records returns the sorted paths of the mapping's records whose names match. There must be at
// least one.
func (w *world) records(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(w.dir, "m", pattern)) // sorted
	if err != nil || len(paths) == 0 {
		t.Fatalf("got %d records %s, %v, want some", len(paths), pattern, err)
	}
	return paths
}

// damage changes a byte in the middle of each record.
func damage(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text[len(text)/2] ^= 1
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// underTwoPrefixes puts three objects, and three more objects with the same names under in/.
func (w *world) underTwoPrefixes() {
	for i := range 3 {
		w.put(name(i))
		w.source.Put("in/"+name(i), awsfake.BytesBody([]byte("of the other prefix")), awsfake.PutOptions{})
	}
}
