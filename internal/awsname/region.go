// Package awsname knows what AWS calls things: partitions, regions, accounts and buckets.
//
// It promises the rules that AWS writes down and requests depend on, each with its source, and says
// of a name that breaks one what is wrong with it. Whether a region is enabled or a bucket exists
// is left to those who ask AWS. ARNs, which are made of these names, are in package arn, and the
// hosts that requests go to in package endpoint. Services that are compatible with S3 have other
// names: callers ask only about those of AWS.
//
// Two words: a partition is a group of regions with accounts of its own, such as aws-cn; a kind is
// what a name or an ARN of S3 stands for besides a bucket, such as a directory bucket, from which
// nothing can be copied.
package awsname

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"

	"syncd/internal/ascii"
	"syncd/internal/hint"
)

// regionTable has the partitions of the SDK, one a line: the name, the form of its regions, and
// those that there are. A test generates it.
//
//go:embed regions.txt
var regionTable string

// IsRegion reports whether s has the form of a region's code, as us-west-2 and us-gov-east-1 do.
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

// Regions are what is known of the regions of AWS.
type Regions struct {
	forms []*regexp.Regexp
	names []string
	// words are those that names end in, before their number, as west in us-west-2.
	words []string
}

// KnownRegions returns the regions that this version knows.
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

// regionWord is the last part of a region's name before its number.
func regionWord(name string) string {
	parts := strings.Split(name, "-")
	return parts[max(0, len(parts)-2)]
}

// Has reports whether a region is known.
func (r *Regions) Has(region string) bool { return slices.Contains(r.names, region) }

// MayBeNew reports whether a text that is no known region may be one that AWS opened since: it has
// the form of one, and is not a known one misspelled.
func (r *Regions) MayBeNew(text string) bool {
	isNew := IsRegion(text) && slices.ContainsFunc(r.forms, func(form *regexp.Regexp) bool { return form.MatchString(text) })
	return isNew && (r.Meant(text) == "" || slices.Contains(r.words, regionWord(text)))
}

// Meant returns the region that a text is a misspelling of, "" for none.
func (r *Regions) Meant(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c == '_' || c == ' ' || c == '-' }), "-")
	if slices.Contains(r.names, text) {
		return text
	}
	return hint.NearestWithin(text, r.names, min(2, len(text)/3))
}
