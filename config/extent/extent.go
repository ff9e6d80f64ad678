// Package extent knows which prefixes of buckets overlap, and which copies fill each other.
//
// It promises answers about names alone, in time that thousands of mappings can bear: two extents
// overlap when a key can lie in both, and mappings form a circle when what one writes is read by
// another, and so on back to the first. Which extents a configuration has, and which of them may
// overlap, is left to config.
//
// Two words: an extent is a prefix of a bucket of one service; a flow says which sources are filled
// from which.
package extent

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Extent is a prefix of a bucket of one service. The zero Extent overlaps nothing.
type Extent struct {
	// Service is within what the name of a bucket stands for one bucket: of AWS its partition.
	Service string
	// Bucket and Prefix say where it is.
	Bucket, Prefix string
	// Path is the config path of the source or the destination, or of state.
	Path string
	// Mapping is the index of the mapping that it belongs to.
	Mapping int
}

// Overlaps reports whether a key can lie in both.
func (e Extent) Overlaps(o Extent) bool { return e.Service == o.Service && e.MayOverlap(o) }

// MayOverlap reports whether a key could lie in both if their services were one: two names may
// stand for one server.
func (e Extent) MayOverlap(o Extent) bool {
	return e.Bucket != "" && e.Bucket == o.Bucket && (strings.HasPrefix(e.Prefix, o.Prefix) || strings.HasPrefix(o.Prefix, e.Prefix))
}

// Nested reports whether one of two extents at different services may be within the bucket of the
// other, which its endpoint URL names.
func (e Extent) Nested(o Extent) bool {
	if e.Bucket == "" || o.Bucket == "" || e.Service == o.Service {
		return false
	}
	return hasBucket(o.Service, e.Bucket) || hasBucket(e.Service, o.Bucket)
}

// hasBucket reports whether a bucket's name is in the name of a service: labels of the host, or a
// segment of the path.
func hasBucket(service, bucket string) bool {
	host, path, _ := strings.Cut(service, "/")
	host, _, _ = strings.Cut(host, ":")
	return strings.Contains("."+host+".", "."+bucket+".") || strings.Contains("/"+path+"/", "/"+bucket+"/")
}

// String writes where it is, in quotes, as in s3://BUCKET/PREFIX.
func (e Extent) String() string { return strconv.Quote("s3://" + e.Bucket + "/" + e.Prefix) }

// Overlapping yields each two of the extents that overlap, the one of the earlier mapping first. In
// the order of prefixes those that begin with the same one follow it without a gap, so that one
// look back suffices for thousands of mappings.
func Overlapping(list []Extent) iter.Seq2[Extent, Extent] {
	return func(yield func(earlier, later Extent) bool) {
		var outer Extent
		for _, e := range slices.SortedStableFunc(slices.Values(list), compare) {
			if !outer.Overlaps(e) {
				outer = e
				continue
			}
			earlier, later := outer, e
			if earlier.Mapping > later.Mapping {
				earlier, later = later, earlier
			}
			if !yield(earlier, later) {
				return
			}
		}
	}
}

func compare(a, b Extent) int {
	return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Bucket, b.Bucket), strings.Compare(a.Prefix, b.Prefix))
}
