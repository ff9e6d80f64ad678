package provenance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/record"
	"syncd/internal/syncer/provenance"
	"syncd/internal/transfer"
)

func settings(sourcePrefix, destinationPrefix string) provenance.Settings {
	return provenance.Settings{
		Source:      transfer.Place{Bucket: "owner-data", Prefix: sourcePrefix},
		Destination: transfer.Place{Bucket: "consumer-copy", Prefix: destinationPrefix},
		KeyARN:      "key", StorageClass: "STANDARD",
	}
}

// TestSameKeys checks that prefixes that are narrowed or widened alike on both sides do not change
// the place of any key.
func TestSameKeys(t *testing.T) {
	otherBucket, otherService := settings("", ""), settings("", "")
	otherBucket.Source.Bucket, otherService.Destination = "b", otherService.Destination.At("minio")
	otherKey := settings("", "")
	otherKey.KeyARN, otherKey.StorageClass = "other", "GLACIER"
	for _, tt := range []struct {
		a, b provenance.Settings
		want bool
	}{
		{settings("", ""), settings("", ""), true},
		{settings("", ""), otherKey, true},
		{settings("in/", "out/"), settings("in/deep/", "out/deep/"), true},
		{settings("in/", "out/"), settings("in/deep/", "out/"), false},
		{settings("in/", ""), settings("", ""), false},
		{settings("a/", "a/"), settings("b/", "b/"), false},
		{settings("", ""), otherBucket, false},
		{settings("", ""), otherService, false},
	} {
		if there, back := tt.a.SameKeys(tt.b), tt.b.SameKeys(tt.a); there != tt.want || back != tt.want {
			t.Errorf("got %v and %v for %+v and %+v, want %v", there, back, tt.a, tt.b, tt.want)
		}
	}
}

func TestSourceKey(t *testing.T) {
	s := settings("in/", "out/")
	if got, ok := s.SourceKey("out/a"); got != "in/a" || !ok {
		t.Errorf("got %q, want in/a", got)
	}
	if got, ok := s.SourceKey("elsewhere/a"); ok {
		t.Errorf("got %q for a key outside, want none", got)
	}
}

// TestNext checks since which pass each setting is in force.
func TestNext(t *testing.T) {
	last := provenance.Generation{Settings: settings("in/", "out/"), Memo: provenance.Memo{PlaceSince: 2, ClassSince: 3, TargetSince: 2, FormerKeys: []string{"first"}}, IsKnown: true}
	moved, target, class, key, back := last.Settings, last.Settings, last.Settings, last.Settings, last.Settings
	moved.Source.Bucket, target.Destination.Prefix, class.StorageClass, key.KeyARN, back.KeyARN = "b", "p/", "GLACIER", "new", "first"
	for name, tt := range map[string]struct {
		now  provenance.Settings
		want provenance.Memo
	}{
		"nothing changed":     {last.Settings, provenance.Memo{PlaceSince: 2, ClassSince: 3, TargetSince: 2, FormerKeys: []string{"first"}}},
		"another source":      {moved, provenance.Memo{PlaceSince: 9, ClassSince: 3, TargetSince: 2, FormerKeys: []string{"first"}}},
		"another destination": {target, provenance.Memo{PlaceSince: 9, ClassSince: 3, TargetSince: 9, FormerKeys: []string{"first"}}},
		"another class":       {class, provenance.Memo{PlaceSince: 2, ClassSince: 9, TargetSince: 2, FormerKeys: []string{"first"}}},
		"another key":         {key, provenance.Memo{PlaceSince: 2, ClassSince: 3, TargetSince: 2, FormerKeys: []string{"first", "key"}}},
		"a former key again":  {back, provenance.Memo{PlaceSince: 2, ClassSince: 3, TargetSince: 2, FormerKeys: []string{"key"}}},
	} {
		if diff := cmp.Diff(tt.want, last.Next(tt.now, 9)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := (provenance.Generation{}).Next(last.Settings, 1); !cmp.Equal(got, provenance.Memo{}) {
		t.Errorf("got %+v for a first pass, want the settings in force since the first pass", got)
	}
}

// TestNextForgetsTheOldestKeys checks that a memo does not grow with each change.
func TestNextForgetsTheOldestKeys(t *testing.T) {
	g := provenance.Generation{Settings: settings("", ""), IsKnown: true}
	for i := range 20 {
		now := g.Settings
		now.KeyARN = fmt.Sprint("key ", i)
		g.Memo = g.Next(now, int64(i))
		g.Settings = now
	}
	if n := len(g.FormerKeys); n != 16 || g.FormerKeys[n-1] != "key 18" {
		t.Errorf("got %d keys up to %q, want the last 16 of them", n, g.FormerKeys[n-1])
	}
}

// TestReadGeneration checks that settings written by this version and by earlier versions can be
// read.
func TestReadGeneration(t *testing.T) {
	old := `{"source":{"endpoint":"http://s/","bucket":"a"},"destination":{"endpoint":"http://s/","bucket":"b"},"key_arn":"k","storage_class":"","place_since":4}`
	got, err := provenance.ReadGeneration(record.Settings{Fingerprint: old})
	if err != nil || !got.IsKnown || got.PlaceSince != 4 || got.Source.Service() != "s" || got.Destination.Service() != "s" {
		t.Errorf("got %+v, %v, want the memo from the fingerprint, and the normalized service", got, err)
	}
	written := provenance.Texts(provenance.Fingerprint{Settings: settings("p/", ""), Replay: 7}, provenance.Memo{ClassSince: 5})
	if got, err = provenance.ReadGeneration(written); err != nil || got.Settings != settings("p/", "") || got.ClassSince != 5 {
		t.Errorf("got %+v, %v, want what was written", got, err)
	}
	if !provenance.OfReplay(written.Fingerprint) || provenance.OfReplay(old) || provenance.OfReplay("") {
		t.Error("a replay is recognized only by its fingerprint")
	}
	if got, err = provenance.ReadGeneration(record.Settings{}); err != nil || got.IsKnown {
		t.Errorf("got %+v, %v, want no generation", got, err)
	}
	if _, err = provenance.ReadGeneration(record.Settings{Fingerprint: "of another program"}); err == nil {
		t.Error("want an error for a fingerprint of another program")
	}
	if _, err = provenance.ReadGeneration(record.Settings{Fingerprint: old, Memo: "{"}); err == nil {
		t.Error("want an error for a truncated memo")
	}
}

// TestFingerprintText checks the exact text of a fingerprint, because passes with the same text
// resume each other. Of a place, the text contains only the properties that distinguish it from
// other places.
func TestFingerprintText(t *testing.T) {
	const point = "arn:aws:s3:us-west-2:111111111111:accesspoint/p"
	s := provenance.Settings{
		Source:      transfer.Place{Bucket: "an-alias-s3alias", AccessPoint: point, Account: "111111111111", Region: "us-west-2", Role: "reader", RequestPayer: true},
		Destination: transfer.Place{Bucket: "copy", Prefix: "p/"}.At("https://minio.example:9000/"),
		KeyARN:      "k", StorageClass: "STANDARD",
	}
	const want = `{"source":{"bucket":"` + point + `"},"destination":{"endpoint":"minio.example:9000","bucket":"copy","prefix":"p/"},"key_arn":"k","storage_class":"STANDARD"}`
	got := provenance.Texts(provenance.Fingerprint{Settings: s}, provenance.Memo{}).Fingerprint
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if read, ok := provenance.ReadFingerprint(got); !ok || !read.Same(s) {
		t.Errorf("got %+v, %v, want the settings that were written", read, ok)
	}
	replay := provenance.Texts(provenance.Fingerprint{Settings: s, Replay: 7}, provenance.Memo{}).Fingerprint
	if want := strings.TrimSuffix(want, "}") + `,"replay":7}`; replay != want {
		t.Errorf("got %s, want %s", replay, want)
	}
}
