//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/plan"
	"syncd/internal/syncer/verify"
)

// damages are the objects of a verified world, and the differences that a listing and an inspection
// find for each.
var damages = map[string]struct{ listed, inspected []plan.DifferenceKind }{
	"deleted":     {kinds(plan.DiffersMissing), nil},
	"stale":       {kinds(plan.DiffersStale), nil},
	"new":         {kinds(plan.DiffersMissing), nil},
	"same size":   {kinds(plan.DiffersOverwritten), kinds(plan.DiffersChecksum, plan.DiffersBucketKey)},
	"other size":  {kinds(plan.DiffersOverwritten), kinds(plan.DiffersChecksum, plan.DiffersBucketKey)},
	"other key":   {kinds(plan.DiffersOverwritten), kinds(plan.DiffersKey)},
	"unencrypted": {kinds(plan.DiffersOverwritten), kinds(plan.DiffersUnencrypted)},
	"tags":        {nil, kinds(plan.DiffersTags)},
	"metadata":    {nil, kinds(plan.DiffersMetadata)},
	"annotations": {nil, kinds(plan.DiffersAnnotations)},
	"note":        {nil, kinds(plan.DiffersAnnotations)},
	"lock":        {nil, kinds(plan.DiffersLock)},
	"bucket key":  {nil, kinds(plan.DiffersBucketKey)},
	"taken":       {kinds(plan.DiffersForeign), nil},
	"stray":       {kinds(plan.DiffersForeign), nil},
	"intact":      {nil, nil},
	"gone":        {nil, nil},
}

func kinds(all ...plan.DifferenceKind) []plan.DifferenceKind { return all }

// wantDifferences returns the differences of the damages, by key.
func wantDifferences(isDeep bool, but ...string) map[string][]plan.DifferenceKind {
	want := map[string][]plan.DifferenceKind{}
	for key, d := range damages {
		all := slices.Clone(d.listed)
		if isDeep {
			all = append(all, d.inspected...)
		}
		if slices.Sort(all); len(all) > 0 && !slices.Contains(but, key) {
			want[key] = all
		}
	}
	return want
}

// found collects the differences by key.
type found struct {
	mu  sync.Mutex
	all map[string][]plan.DifferenceKind
}

func (f *found) request(share float64) verify.Request {
	f.all = map[string][]plan.DifferenceKind{}
	return verify.Request{Share: share, Found: func(d plan.Difference) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.all[d.Key] = append(f.all[d.Key], d.Kind)
		slices.Sort(f.all[d.Key])
		return nil
	}}
}

func (f *found) want(t *testing.T, what string, want map[string][]plan.DifferenceKind) {
	t.Helper()
	if diff := cmp.Diff(want, f.all); diff != "" {
		t.Errorf("%s: differences (-want +got):\n%s", what, diff)
	}
}

// damaged makes the world of the table: objects that were copied, some without their tags, metadata and
// locks, and damages that others make to the copies afterwards.
func damaged(t *testing.T, do func(t *testing.T, w *world)) {
	t.Helper()
	bubble(t, func(t *testing.T, w *world) {
		w.copyLocks(0)
		w.copies.Annotations = true
		there := w.live
		there.Place = w.copies.DestinationPlace
		w.options.Destination = there
		put := func(key string) {
			w.source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{
				Metadata: map[string]string{"team": "lake"}, Tags: map[string]string{"class": "gold"}, Annotations: map[string]string{"note": "one"},
				Lock: awsfake.Lock{Mode: awsfake.Governance, Until: time.Now().AddDate(0, 1, 0).Truncate(time.Second)},
			})
		}
		full := w.copies
		for _, key := range []string{"tags", "metadata", "lock", "bucket key", "annotations"} {
			put(key)
			w.copies.OmitTags, w.copies.OmitMetadata, w.copies.ObjectLock, w.copies.BucketKey = key == "tags", key == "metadata", key != "lock", key != "bucket key"
			w.copies.Annotations = key != "annotations"
			if _, err := w.pass(t); err != nil {
				t.Fatal(err)
			}
			w.copies = full
		}
		w.copies.BucketKey, w.copies.Annotations = true, true
		for key := range damages {
			if !slices.Contains([]string{"tags", "metadata", "lock", "bucket key", "annotations", "new", "taken", "stray"}, key) {
				put(key)
			}
		}
		if s, err := w.pass(t); err != nil || s.Exit != 0 {
			t.Fatalf("got %+v, %v", s, err)
		}
		time.Sleep(time.Hour)
		w.damage(t, put)
		time.Sleep(time.Minute)
		do(t, w)
	})
}

// damage damages the copies.
func (w *world) damage(t *testing.T, put func(key string)) {
	t.Helper()
	other := w.cloud.Account(consumer).CreateKey(region, nil)
	w.destination.Delete("deleted")
	w.source.Delete("gone")
	put("stale")
	put("new")
	put("taken")
	w.annotate(t, "note", "two")
	for key, o := range map[string]struct{ body, arn string }{
		"same size": {"size same", w.key.ARN()}, "other size": {"shorter", w.key.ARN()}, "other key": {"other key", other.ARN()}, "unencrypted": {"unencrypted", ""},
		"taken": {"by another", ""}, "stray": {"by another", ""},
	} {
		w.destination.Put(key, awsfake.BytesBody([]byte(o.body)), awsfake.PutOptions{
			KeyARN: o.arn, Metadata: map[string]string{"team": "lake"}, Tags: map[string]string{"class": "gold"}, Annotations: map[string]string{"note": "one"},
			Lock: awsfake.Lock{Mode: awsfake.Governance, Until: time.Now().AddDate(0, 1, 0).Truncate(time.Second)},
		})
	}
}

// verify verifies the destination with a new syncer.
func (w *world) verify(t *testing.T, r verify.Request) verify.Report {
	t.Helper()
	w.settle()
	report, err := w.open(t).Verify(t.Context(), r)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	return report
}

// TestVerify damages a destination in many ways. It checks that a verification names each, that it lists
// each side once, that a pass with the verification mends what syncd may replace, and that the next
// verification is silent once the objects of others are removed.
func TestVerify(t *testing.T) {
	damaged(t, func(t *testing.T, w *world) {
		var f found
		report := w.verify(t, f.request(0))
		f.want(t, "listings", wantDifferences(false))
		if got := report.Requests; len(got) != 1 || got["ListObjectsV2"] != 2 {
			t.Errorf("got requests %v, want one listing of each side", got)
		}
		if diff := cmp.Diff(map[plan.DifferenceKind]int64{plan.DiffersMissing: 1, plan.DiffersStale: 1}, report.Pending); diff != "" {
			t.Errorf("pending differences (-want +got):\n%s", diff)
		}
		if report.Kept != 1 || report.Unsettled != 0 {
			t.Errorf("got %+v, want one copy kept", report)
		}
		report = w.verify(t, f.request(1))
		f.want(t, "inspections", wantDifferences(true))
		if got := report.Requests; got["ListObjectsV2"] != 2 {
			t.Errorf("got requests %v, want one listing of each side", got)
		}

		w.repair(t, &f, 3)
		f.want(t, "repair", wantDifferences(true))
		w.verify(t, f.request(1))
		left := map[string][]plan.DifferenceKind{"stray": kinds(plan.DiffersForeign)}
		for _, key := range []string{"same size", "other size", "other key", "unencrypted", "taken"} {
			left[key] = kinds(plan.DiffersQuarantined)
		}
		f.want(t, "after the repair", left)

		w.copies.OverwriteAny, w.options.Rules.OverwriteAny = true, true
		w.repair(t, &f, 0)
		w.destination.Delete("stray")
		if report := w.verify(t, f.request(1)); report.Total() != 0 || report.Inspected != report.Intact || report.Intact != int64(len(w.source.Keys())) {
			t.Errorf("got %+v, %v, want no difference", report, f.all)
		}
		if got := w.passes(t, "folder", "after the repairs", 0); got.Copied != 0 {
			t.Errorf("got %+v, want nothing copied", got)
		}
	})
}

// repair runs a pass that mends what differs.
func (w *world) repair(t *testing.T, f *found, exit int) {
	t.Helper()
	w.settle()
	s := w.open(t)
	_, got, err := s.Repair(t.Context(), f.request(1))
	if err != nil || got.Exit != exit {
		t.Fatalf("repair: got %+v, %v, want exit %d", got, err, exit)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Minute)
}

// TestVerifySamples inspects a tenth of the copies. It checks that about a tenth is inspected, that a
// seed selects the same keys again, and that another seed selects others.
func TestVerifySamples(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.both()
		w.fill(1000)
		w.passes(t, "folder", "first", 0)
		inspected := func(seed uint64) []string {
			before := w.cloud.Requests()["HeadObject"]
			var f found
			r := f.request(0.1)
			r.Seed = seed
			report := w.verify(t, r)
			if n := report.Inspected; n < 60 || n > 140 || w.cloud.Requests()["HeadObject"]-before != 4*n {
				t.Errorf("got %d copies inspected with %d requests, want about 100 with four each, because each differs", n, w.cloud.Requests()["HeadObject"]-before)
			}
			return slices.Sorted(maps.Keys(f.all))
		}
		// A tag that the source does not have shows which copies are inspected.
		for i := range 1000 {
			w.tag(t, name(i))
		}
		first, again, other := inspected(1), inspected(1), inspected(2)
		if !slices.Equal(first, again) || slices.Equal(first, other) || len(first) == 0 {
			t.Errorf("got %d, %d and %d copies, want the same twice and then others", len(first), len(again), len(other))
		}
	})
}

// tag adds a tag to a copy.
func (w *world) tag(t *testing.T, key string) {
	t.Helper()
	_, err := w.admin.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
		Bucket: &w.copies.DestinationPlace.Bucket, Key: &key, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// annotate replaces the content of the annotation of a copy.
func (w *world) annotate(t *testing.T, key, content string) {
	t.Helper()
	_, err := w.admin.PutObjectAnnotation(t.Context(), &s3.PutObjectAnnotationInput{
		Bucket: &w.copies.DestinationPlace.Bucket, Key: &key, AnnotationName: aws.String("note"), AnnotationPayload: strings.NewReader(content),
	})
	if err != nil {
		t.Fatal(err)
	}
}
