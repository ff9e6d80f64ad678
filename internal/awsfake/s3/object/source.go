package object

import (
	"net/http"
	"net/url"
	"strings"

	"syncd/internal/arn"
	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// copySourcePrefix is the prefix of the conditional headers for the source of a copy.
const copySourcePrefix = "X-Amz-Copy-Source-"

// Source returns the object that the request copies from. It checks permissions, conditions and
// that the object can be read.
func Source(q *call.Request, b *store.Bucket) (call.Reading, *store.Object, error) {
	h := q.HTTP.Header
	r := call.Reading{Action: "s3:GetObject"}
	bucket, err := "", error(nil)
	if bucket, r.Key, r.Version, err = copySource(h); err != nil {
		return r, nil, err
	}
	w, err := q.FindBucket(bucket, h.Get("X-Amz-Source-Expected-Bucket-Owner"))
	if err != nil {
		return r, nil, err
	}
	if err := refuseCrossRegion(w, b); err != nil {
		return r, nil, err
	}
	r.Bucket, r.Point = w.Bucket, w.Point
	if err := mayReadFrom(q, b, r); err != nil {
		return r, nil, err
	}
	o, err := q.Open(r)
	if err != nil {
		return r, nil, err
	}
	if err := readConditions(h, copySourcePrefix, o); err != nil {
		return r, nil, err
	}
	if err := refuseSSEC(q, o); err != nil {
		return r, nil, err
	}
	if o.Archived(q.Cloud.Now()) {
		return r, nil, errArchived(o)
	}
	return r, o, nil
}

// mayReadFrom checks the rules of the source bucket that a copy to the bucket b must also satisfy:
// the rate limit, requester pays, and that a VPC endpoint does not copy from another Region.
func mayReadFrom(q *call.Request, b *store.Bucket, r call.Reading) error {
	if q.Endpoint != nil && r.Bucket.Region != b.Region {
		return wire.Refuse(http.StatusForbidden, "AccessDenied", "VPC endpoints do not support cross-region requests")
	}
	if !r.Bucket.Admit(r.Key, false) {
		return wire.RestXML.Throttled()
	}
	return q.CheckPayer(r.Bucket)
}

// copySource parses x-amz-copy-source: a URL-encoded "bucket/key" or "/bucket/key", optionally
// followed by "?versionId=", or "ARN/object/key" with the ARN of an access point. S3 decodes a "+"
// as a space.
func copySource(h http.Header) (bucket, key, version string, err error) {
	raw := strings.TrimPrefix(h.Get("X-Amz-Copy-Source"), "/")
	if i := strings.LastIndex(raw, "?versionId="); i >= 0 {
		raw, version = raw[:i], raw[i+len("?versionId="):]
	}
	if decoded, err := url.QueryUnescape(raw); err == nil && arn.Is(decoded) {
		bucket, key, _ = strings.Cut(decoded, "/object/")
	} else {
		bucket, key, _ = strings.Cut(raw, "/")
		key, err = url.QueryUnescape(key)
		if err != nil {
			key = ""
		}
	}
	if bucket == "" || key == "" {
		return "", "", "", wire.ErrInvalidArgument("Invalid copy source object key")
	}
	return bucket, key, version, nil
}

// SetSourceVersion sets the source version ID header if the source's bucket is versioned.
func SetSourceVersion(h http.Header, r call.Reading, src *store.Object) {
	if r.Bucket.Versioned() {
		h.Set("X-Amz-Copy-Source-Version-Id", src.VersionID)
	}
}

// refuseCrossRegion rejects copies from an access point to another Region ("CopyObject", Amazon S3
// API Reference; the message is our own).
func refuseCrossRegion(from call.Way, to *store.Bucket) error {
	if from.Point == nil || from.Bucket.Region == to.Region {
		return nil
	}
	return wire.ErrInvalidRequest("Copying from an access point to a bucket in another Region is not supported.")
}
