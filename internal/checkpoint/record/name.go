package record

import (
	"fmt"
	"strconv"
	"strings"
)

// Prefixes and suffixes of record names. The numbers in names have ten digits, so that byte order
// is numeric order.
const (
	ManifestPrefix   = "manifest-"
	ProgressPrefix   = "progress-"
	ChunkPrefix      = "chunk-"
	QuarantinePrefix = "quarantine-"
	Suffix           = ".json"
	ChunkSuffix      = ".parquet"
)

// ManifestName returns the name of a generation's manifest.
func ManifestName(mapping string, generation int64) string {
	return fmt.Sprintf("%s/%s%010d%s", mapping, ManifestPrefix, generation, Suffix)
}

// ProgressName returns the name of a progress record of the pass that will commit generation.
func ProgressName(mapping string, generation, seq int64) string {
	return fmt.Sprintf("%s/%s%010d-%010d%s", mapping, ProgressPrefix, generation, seq, Suffix)
}

// NumbersIn returns the generation number in a record's name and, for a progress record, the
// sequence number. The result ok is false if the name has another form.
func NumbersIn(name, prefix, suffix string) (generation, seq int64, ok bool) {
	base := name[strings.LastIndexByte(name, '/')+1:]
	base, hasPrefix := strings.CutPrefix(base, prefix)
	base, hasSuffix := strings.CutSuffix(base, suffix)
	if !hasPrefix || !hasSuffix {
		return 0, 0, false
	}
	first, rest, more := strings.Cut(base, "-")
	generation, err := strconv.ParseInt(first, 10, 64)
	if err != nil {
		return 0, 0, false
	}
	if more && prefix == ProgressPrefix {
		seq, err = strconv.ParseInt(rest, 10, 64)
	}
	return generation, seq, err == nil
}
