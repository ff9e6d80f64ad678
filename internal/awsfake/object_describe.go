package awsfake

import (
	"net/http"
	"strconv"
	"strings"
)

// objectAnswer is the answer of GET and HEAD but for the body.
func objectAnswer(q *s3Request, b *Bucket, o *object) (*response, error) {
	res := answer(http.StatusOK)
	h := res.header
	describe(h, b, o)
	showArchive(o, h, q.cloud.now())
	showLock(q, h, b, o)
	h.Set("Accept-Ranges", "bytes")
	for name := range overrides() {
		if v := q.query.Get(name); v != "" {
			h.Set(overrides()[name], v)
		}
	}
	res.size = o.size
	r, ranged := requestedRange(q, o)
	if !ranged {
		if wantsChecksum(q) {
			setChecksum(h, o.checksum)
		}
		return res, nil
	}
	if r.from >= o.size || r.from > r.to {
		return nil, refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable").
			with("RangeRequested", q.http.Header.Get("Range"), "ActualObjectSize", strconv.FormatInt(o.size, 10))
	}
	res.status, res.size = http.StatusPartialContent, r.to-r.from+1
	h.Set("Content-Range", "bytes "+strconv.FormatInt(r.from, 10)+"-"+strconv.FormatInt(r.to, 10)+"/"+strconv.FormatInt(o.size, 10))
	if q.query.Has("partNumber") {
		h.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(o.parts)))
	}
	return res, nil
}

func overrides() map[string]string {
	return map[string]string{
		"response-content-type": "Content-Type", "response-content-language": "Content-Language",
		"response-expires": "Expires", "response-cache-control": "Cache-Control",
		"response-content-disposition": "Content-Disposition", "response-content-encoding": "Content-Encoding",
	}
}

// describe sets the headers that say what the object is.
func describe(h http.Header, b *Bucket, o *object) {
	h.Set("Etag", `"`+o.etag+`"`)
	h.Set("Last-Modified", o.modified.UTC().Format(http.TimeFormat))
	for name, value := range o.headers {
		h.Set(name, value)
	}
	showMetadata(h, o.metadata)
	if o.redirect != "" {
		h.Set(redirectHeader, o.redirect)
	}
	if o.storageClass != classStandard {
		h.Set("X-Amz-Storage-Class", o.storageClass)
	}
	if len(o.tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.tags)))
	}
	setVersion(h, b, o)
	setEncryption(h, o.crypt)
}

func wantsChecksum(q *s3Request) bool {
	return strings.EqualFold(q.http.Header.Get("X-Amz-Checksum-Mode"), "ENABLED")
}
