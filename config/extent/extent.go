// Package extent finds bucket prefixes that overlap, and mappings that copy in a circle.
//
// It compares only names, fast enough for thousands of mappings. Two extents overlap if a key can
// be in both. Mappings form a circle if each reads what the previous mapping writes, and the first
// reads what the last writes. Package config determines the extents of a configuration, and which
// overlaps are allowed.
//
// Two terms: an extent is a prefix of a bucket at one service; a flow is a graph of the sources,
// with an edge from one source to another if a mapping copies from the first into the second.
package extent

import (
	"cmp"
	"iter"
	"slices"
	"strconv"
	"strings"
)

// Extent is a prefix of a bucket at one service. The zero Extent overlaps nothing.
type Extent struct {
	// Service is the scope in which a bucket name is unique: the name of the service, or the
	// partition of AWS.
	Service string
	// Bucket and Prefix are the bucket and the prefix in it.
	Bucket, Prefix string
	// Path is the config path of the source or the destination, or of state.
	Path string
	// Mapping is the index of the mapping that the extent belongs to.
	Mapping int
}

// Overlaps reports whether a key can be in both extents.
func (e Extent) Overlaps(o Extent) bool { return e.Service == o.Service && e.MayOverlap(o) }

// MayOverlap reports whether a key could be in both extents if their services were the same. It
// ignores the names of the services, because two names can refer to one server.
func (e Extent) MayOverlap(o Extent) bool {
	return e.Bucket != "" && e.Bucket == o.Bucket && (strings.HasPrefix(e.Prefix, o.Prefix) || strings.HasPrefix(o.Prefix, e.Prefix))
}

// Nested reports whether one of two extents at different services may be inside the other's bucket,
// because its endpoint URL contains the name of that bucket.
func (e Extent) Nested(o Extent) bool {
	if e.Bucket == "" || o.Bucket == "" || e.Service == o.Service {
		return false
	}
	return hasBucket(o.Service, e.Bucket) || hasBucket(e.Service, o.Bucket)
}

// hasBucket reports whether the name of a service contains a bucket's name, as labels of the host
// or as a segment of the path.
func hasBucket(service, bucket string) bool {
	host, path, _ := strings.Cut(service, "/")
	host, _, _ = strings.Cut(host, ":")
	return strings.Contains("."+host+".", "."+bucket+".") || strings.Contains("/"+path+"/", "/"+bucket+"/")
}

// String returns the location in quotes, as in "s3://BUCKET/PREFIX".
func (e Extent) String() string { return strconv.Quote("s3://" + e.Bucket + "/" + e.Prefix) }

// Overlapping yields pairs of extents that overlap, the extent of the earlier mapping first. Every
// extent that overlaps another one is in some pair. In sorted order, all extents inside another
// extent directly follow it. So it is enough to compare each extent with one earlier extent, which
// is fast even for thousands of mappings.
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
