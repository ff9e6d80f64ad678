package checkpoint

import (
	"fmt"
	"strconv"
	"strings"
)

// The numbers in names have ten digits, so that byte order is numeric order.
const (
	manifestPrefix   = "manifest-"
	progressPrefix   = "progress-"
	chunkPrefix      = "chunk-"
	quarantinePrefix = "quarantine-"
	recordSuffix     = ".json"
	chunkSuffix      = ".parquet"
)

func manifestName(mapping string, generation int64) string {
	return fmt.Sprintf("%s/%s%010d%s", mapping, manifestPrefix, generation, recordSuffix)
}

func progressName(mapping string, generation, seq int64) string {
	return fmt.Sprintf("%s/%s%010d-%010d%s", mapping, progressPrefix, generation, seq, recordSuffix)
}

// numbersIn returns the generation in a record's name and, for a progress
// record, its sequence number; ok is false when the name has another form.
func numbersIn(name, prefix, suffix string) (generation, seq int64, ok bool) {
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
	if more && prefix == progressPrefix {
		seq, err = strconv.ParseInt(rest, 10, 64)
	}
	return generation, seq, err == nil
}
