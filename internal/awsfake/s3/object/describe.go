package object

import (
	"net/http"
	"strconv"
	"strings"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// objectAnswer returns the response to GET and HEAD, without the body.
func objectAnswer(q *call.Request, b *store.Bucket, o *store.Object) (*wire.Response, error) {
	res := wire.Answer(http.StatusOK)
	h := res.Header
	describe(h, b, o)
	showArchive(o, h, q.Cloud.Now())
	showLock(q, h, b, o)
	h.Set("Accept-Ranges", "bytes")
	for name := range overrides() {
		if v := q.Query.Get(name); v != "" {
			h.Set(overrides()[name], v)
		}
	}
	res.Size = o.Size
	r, ranged := requestedRange(q, o)
	if !ranged {
		if wantsChecksum(q) {
			call.SetChecksum(h, o.Checksum)
		}
		return res, nil
	}
	if r.From >= o.Size || r.From > r.To {
		return nil, wire.Refuse(http.StatusRequestedRangeNotSatisfiable, "InvalidRange", "The requested range is not satisfiable").
			With("RangeRequested", q.HTTP.Header.Get("Range"), "ActualObjectSize", strconv.FormatInt(o.Size, 10))
	}
	res.Status, res.Size = http.StatusPartialContent, r.To-r.From+1
	h.Set("Content-Range", "bytes "+strconv.FormatInt(r.From, 10)+"-"+strconv.FormatInt(r.To, 10)+"/"+strconv.FormatInt(o.Size, 10))
	if q.Query.Has("partNumber") {
		h.Set("X-Amz-Mp-Parts-Count", strconv.Itoa(len(o.Parts)))
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

// describe sets the headers that describe the object.
func describe(h http.Header, b *store.Bucket, o *store.Object) {
	h.Set("Etag", `"`+o.ETag+`"`)
	h.Set("Last-Modified", o.Modified.UTC().Format(http.TimeFormat))
	for name, value := range o.Headers {
		h.Set(name, value)
	}
	showMetadata(h, o.Metadata)
	if o.Redirect != "" {
		h.Set(redirectHeader, o.Redirect)
	}
	if o.StorageClass != store.ClassStandard {
		h.Set("X-Amz-Storage-Class", o.StorageClass)
	}
	if len(o.Tags) > 0 {
		h.Set("X-Amz-Tagging-Count", strconv.Itoa(len(o.Tags)))
	}
	call.SetVersion(h, b, o)
	call.SetEncryption(h, o.Crypt)
}

func wantsChecksum(q *call.Request) bool {
	return strings.EqualFold(q.HTTP.Header.Get("X-Amz-Checksum-Mode"), "ENABLED")
}
