// Package awsname checks the names that AWS uses: partitions, regions, accounts and buckets.
//
// It implements the documented rules that requests depend on, each with its source, and explains
// what is wrong with an invalid name. It does not check that a region is enabled or a bucket
// exists. Package arn handles ARNs, and package endpoint handles the host names of services. The
// rules apply only to AWS: S3-compatible services have other names.
//
// Two terms: a partition is a group of regions with its own accounts, such as aws-cn; a kind is the
// type of S3 resource that a name or an ARN refers to, such as a directory bucket, which syncd
// cannot copy from.
package awsname

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/ascii"
	"syncd/internal/hint"
)

// regionTable lists the partitions of the SDK, one per line: the name, a regular expression for its
// regions, and its known regions. A test generates it.
//
//go:embed regions.txt
var regionTable string

// IsRegion reports whether s has the form of a region code, such as us-west-2 or us-gov-east-1.
func IsRegion(s string) bool {
	parts := strings.Split(s, "-")
	last := len(parts) - 1
	if last < 2 || !ascii.Word(strings.Join(parts, ""), "") || s != strings.ToLower(s) {
		return false
	}
	for i, p := range parts {
		if p == "" || (i == last) != ascii.Digits(p, len(p)) {
			return false
		}
	}
	return true
}

// Regions is the set of known AWS regions.
type Regions struct {
	forms []*regexp.Regexp
	names []string
	// words are the words before the number in each of names, such as west in us-west-2.
	words []string
}

// KnownRegions returns the regions known to this version of syncd.
func KnownRegions() *Regions {
	known := &Regions{}
	for line := range strings.Lines(regionTable) {
		fields := strings.Fields(line)
		known.forms = append(known.forms, regexp.MustCompile(fields[1]))
		known.names = append(known.names, fields[2:]...)
	}
	for _, name := range known.names {
		known.words = append(known.words, regionWord(name))
	}
	return known
}

// regionWord returns the word before the number in a region's name.
func regionWord(name string) string {
	parts := strings.Split(name, "-")
	return parts[max(0, len(parts)-2)]
}

// Has reports whether a region is known.
func (r *Regions) Has(region string) bool { return slices.Contains(r.names, region) }

// MayBeNew reports whether text could be a region that is newer than this version of syncd: it has
// the form of a region and is not a misspelling of a known region.
func (r *Regions) MayBeNew(text string) bool {
	isNew := IsRegion(text) && slices.ContainsFunc(r.forms, func(form *regexp.Regexp) bool { return form.MatchString(text) })
	return isNew && (r.Meant(text) == "" || slices.Contains(r.words, regionWord(text)))
}

// Meant returns the known region that text is a misspelling of, or "".
func (r *Regions) Meant(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c == '_' || c == ' ' || c == '-' }), "-")
	if slices.Contains(r.names, text) {
		return text
	}
	return hint.NearestWithin(text, r.names, min(2, len(text)/3))
}
