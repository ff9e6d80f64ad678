package object

import (
	"strconv"
	"strings"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
)

// ByteRange is a range of bytes, inclusive at both ends.
type ByteRange struct{ From, To int64 }

// requestedRange returns the requested range of the object, or false for the whole object. It
// ignores an invalid Range header, as RFC 9110 section 14.2 requires.
func requestedRange(q *call.Request, o *store.Object) (ByteRange, bool) {
	if n, err := strconv.Atoi(q.Query.Get("partNumber")); err == nil && o.Size > 0 {
		return partRange(o, n), true
	}
	spec, found := strings.CutPrefix(q.HTTP.Header.Get("Range"), "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !found || !dash {
		return ByteRange{}, false
	}
	from, errFrom := strconv.ParseInt(first, 10, 64)
	to, errTo := strconv.ParseInt(last, 10, 64)
	switch {
	case errFrom == nil && last == "":
		return ByteRange{from, o.Size - 1}, true
	case errFrom == nil && errTo == nil && from <= to:
		return ByteRange{from, min(to, o.Size-1)}, true
	case first == "" && errTo == nil:
		if to == 0 {
			return ByteRange{o.Size, o.Size}, true
		}
		return ByteRange{max(o.Size-to, 0), o.Size - 1}, true
	}
	return ByteRange{}, false
}

func partRange(o *store.Object, number int) ByteRange {
	if len(o.Parts) == 0 && number == 1 {
		return ByteRange{0, o.Size - 1}
	}
	if number < 1 || number > len(o.Parts) {
		return ByteRange{o.Size, o.Size}
	}
	from := int64(0)
	for _, size := range o.Parts[:number-1] {
		from += size
	}
	return ByteRange{from, from + o.Parts[number-1] - 1}
}
