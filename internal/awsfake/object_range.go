package awsfake

import (
	"strconv"
	"strings"
)

// byteRange is inclusive at both ends.
type byteRange struct{ from, to int64 }

// requestedRange is what of the object the request wants; false for the whole of it. A Range header
// that S3 does not understand is ignored, as RFC 9110 section 14.2 asks.
func requestedRange(q *s3Request, o *object) (byteRange, bool) {
	if n, err := strconv.Atoi(q.query.Get("partNumber")); err == nil && o.size > 0 {
		return partRange(o, n), true
	}
	spec, found := strings.CutPrefix(q.http.Header.Get("Range"), "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !found || !dash {
		return byteRange{}, false
	}
	from, errFrom := strconv.ParseInt(first, 10, 64)
	to, errTo := strconv.ParseInt(last, 10, 64)
	switch {
	case errFrom == nil && last == "":
		return byteRange{from, o.size - 1}, true
	case errFrom == nil && errTo == nil && from <= to:
		return byteRange{from, min(to, o.size-1)}, true
	case first == "" && errTo == nil:
		if to == 0 {
			return byteRange{o.size, o.size}, true
		}
		return byteRange{max(o.size-to, 0), o.size - 1}, true
	}
	return byteRange{}, false
}

func partRange(o *object, number int) byteRange {
	if len(o.parts) == 0 && number == 1 {
		return byteRange{0, o.size - 1}
	}
	if number < 1 || number > len(o.parts) {
		return byteRange{o.size, o.size}
	}
	from := int64(0)
	for _, size := range o.parts[:number-1] {
		from += size
	}
	return byteRange{from, from + o.parts[number-1] - 1}
}
