package extent_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"syncd/config/extent"
)

// at returns the extent of SERVICE.BUCKET/PREFIX.
func at(text string) extent.Extent {
	service, rest, _ := strings.Cut(text, ".")
	bucket, prefix, _ := strings.Cut(rest, "/")
	return extent.Extent{Service: service, Bucket: bucket, Prefix: prefix}
}

func TestOverlaps(t *testing.T) {
	for _, tt := range []struct {
		a, b         string
		overlap, may bool
	}{
		{"aws.a/x/", "aws.a/x/", true, true},
		{"aws.a/x/", "aws.a/x/y/", true, true},
		{"aws.a/", "aws.a/x/", true, true},
		{"aws.a/x", "aws.a/y", false, false},
		{"aws.a/x", "aws.b/x", false, false},
		{"aws.a/x", "minio.a/x", false, true},
		{"aws./x", "aws./x", false, false},
	} {
		a, b := at(tt.a), at(tt.b)
		for range 2 {
			if a.Overlaps(b) != tt.overlap || a.MayOverlap(b) != tt.may {
				t.Errorf("%s and %s: got %v, %v, want %v, %v", a, b, a.Overlaps(b), a.MayOverlap(b), tt.overlap, tt.may)
			}
			a, b = b, a
		}
	}
}

func TestNested(t *testing.T) {
	for _, tt := range []struct {
		service, bucket string
		want            bool
	}{
		{"a.minio.example:9000", "a", true},
		{"minio.example/a", "a", true},
		{"minio.example/b/a", "a", true},
		{"minio.example", "a", false},
		{"ab.example", "a", false},
		{"minio.example/a", "", false},
	} {
		e, o := extent.Extent{Service: tt.service, Bucket: "other"}, extent.Extent{Service: "aws", Bucket: tt.bucket}
		if e.Nested(o) != tt.want || o.Nested(e) != tt.want {
			t.Errorf("%q and %q: got %v, want %v", tt.service, tt.bucket, e.Nested(o), tt.want)
		}
	}
	if e := (extent.Extent{Service: "aws", Bucket: "aws"}); e.Nested(e) {
		t.Error("an extent is nested in another of its own service")
	}
}

// TestOverlapping checks that Overlapping finds every extent that overlaps another extent. It does
// not have to yield every pair.
func TestOverlapping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) extent.Extent {
			return extent.Extent{
				Service: rapid.SampledFrom([]string{"aws", "minio"}).Draw(t, "service"), Bucket: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "bucket"),
				Prefix: rapid.StringOfN(rapid.SampledFrom([]rune("xy/")), 0, 3, -1).Draw(t, "prefix"),
			}
		}), 0, 6).Draw(t, "extents")
		want := false
		for i := range list {
			list[i].Mapping = i
			for j := range i {
				want = want || list[i].Overlaps(list[j])
			}
		}
		got := false
		for earlier, later := range extent.Overlapping(list) {
			got = true
			if !earlier.Overlaps(later) || earlier.Mapping >= later.Mapping {
				t.Fatalf("got %v of mapping %d and %v of mapping %d", earlier, earlier.Mapping, later, later.Mapping)
			}
		}
		if got != want {
			t.Fatalf("%v: got overlaps %v, want %v", list, got, want)
		}
	})
}

// TestCircle checks that Circle finds a circle if and only if a mapping can reach itself.
func TestCircle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) extent.Extent {
			return extent.Extent{
				Service: "aws", Bucket: rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, name+" bucket"),
				Prefix: rapid.SampledFrom([]string{"", "x/", "x/y/", "z/"}).Draw(t, name+" prefix"),
			}
		}
		var sources, destinations []extent.Extent
		for i := range rapid.IntRange(0, 5).Draw(t, "mappings") {
			source, destination := draw(fmt.Sprint("source ", i)), draw(fmt.Sprint("destination ", i))
			if source.Overlaps(destination) {
				continue // Circle does not get such a mapping: it is a different fault
			}
			source.Mapping, destination.Mapping = len(sources), len(sources)
			sources, destinations = append(sources, source), append(destinations, destination)
		}
		fills := func(i, j int) bool { return sources[i].Bucket != "" && destinations[i].Overlaps(sources[j]) }
		got := extent.Circle(sources, destinations)
		if want := comesBack(len(sources), fills); (got >= 0) != want {
			t.Fatalf("%v to %v: got %d, want a circle %v", sources, destinations, got, want)
		}
	})
}

// comesBack reports whether any of n nodes can reach itself in one or more steps.
func comesBack(n int, step func(from, to int) bool) bool {
	reach := make([][]bool, n)
	for i := range reach {
		reach[i] = make([]bool, n)
		for j := range n {
			reach[i][j] = step(i, j)
		}
	}
	for k := range n {
		for i := range n {
			for j := range n {
				reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
			}
		}
	}
	for i := range n {
		if reach[i][i] {
			return true
		}
	}
	return false
}
