package config

import (
	_ "embed"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// regionTable has the partitions of the SDK, one a line: the name, the form of its regions, and those that there are. A test
// generates it.
//
//go:embed regions.txt
var regionTable string

// regions are what is known of the regions of AWS.
type regions struct {
	forms []*regexp.Regexp
	names []string
	// words are those that names end in, before their number, as west in us-west-2.
	words []string
	// warned are those that were warned of: once in a file of many mappings.
	warned map[string]bool
}

func knownRegions() *regions {
	known := &regions{warned: map[string]bool{}}
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

// region checks the name of a region. AWS opens new ones: what has the form of one, and is not a known one misspelled, is accepted.
func (v *validator) region(path, region string, compatible bool) {
	const hint = "use a code such as us-west-2"
	quoted := strconv.Quote(region)
	if compatible {
		v.check(region != "", path, quoted+" is not a region", hint)
		return
	}
	if v.regions == nil {
		v.regions = knownRegions()
	}
	if slices.Contains(v.regions.names, region) {
		return
	}
	meant := v.regions.meant(region)
	problem, instead := quoted+" is not a region", hint
	if meant != "" {
		instead = "did you mean " + meant + "?"
	}
	isNew := isRegion(region) && slices.ContainsFunc(v.regions.forms, func(form *regexp.Regexp) bool { return form.MatchString(region) })
	if isNew && (meant == "" || slices.Contains(v.regions.words, regionWord(region))) {
		if !v.regions.warned[region] {
			v.warn(path, problem+" that this version knows", instead+"; a region that is newer than this version works too")
		}
		v.regions.warned[region] = true
		return
	}
	v.fault(path, problem, instead)
}

// meant returns the region that a text is a misspelling of, "" for none.
func (r *regions) meant(text string) string {
	text = strings.Join(strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c == '_' || c == ' ' || c == '-' }), "-")
	if slices.Contains(r.names, text) {
		return text
	}
	return nearest(text, r.names, min(2, len(text)/3))
}
