package awsfake

import (
	"net/http"
	"net/url"
	"strings"
)

// copySourcePrefix begins the headers that put conditions on the source of a copy.
const copySourcePrefix = "X-Amz-Copy-Source-"

// source opens the object that the request copies from: found, allowed, conditions met, readable.
func source(q *s3Request, b *Bucket) (reading, *object, error) {
	h := q.http.Header
	r := reading{action: "s3:GetObject"}
	bucket, err := "", error(nil)
	if bucket, r.key, r.version, err = copySource(h); err != nil {
		return r, nil, err
	}
	w, err := q.findBucket(bucket, h.Get("X-Amz-Source-Expected-Bucket-Owner"))
	if err != nil {
		return r, nil, err
	}
	if err := refuseCrossRegion(w, b); err != nil {
		return r, nil, err
	}
	r.bucket, r.point = w.bucket, w.point
	if err := mayReadFrom(q, b, r); err != nil {
		return r, nil, err
	}
	o, err := q.open(r)
	if err != nil {
		return r, nil, err
	}
	if err := readConditions(h, copySourcePrefix, o); err != nil {
		return r, nil, err
	}
	if err := refuseSSEC(q, o); err != nil {
		return r, nil, err
	}
	if o.archived(q.cloud.now()) {
		return r, nil, errArchived(o)
	}
	return r, o, nil
}

// mayReadFrom asks of the source's bucket what every request on a bucket is asked; b is the destination.
func mayReadFrom(q *s3Request, b *Bucket, r reading) error {
	if q.endpoint != nil && r.bucket.region != b.region {
		return refuse(http.StatusForbidden, "AccessDenied", "VPC endpoints do not support cross-region requests")
	}
	if !r.bucket.rates.take(r.key, false) {
		return restXML.throttled()
	}
	return q.checkPayer(r.bucket)
}

// copySource splits x-amz-copy-source, "bucket/key" or "/bucket/key" in URL encoding with an optional
// "?versionId=" behind it, or "ARN/object/key" with the ARN of an access point. S3 decodes a "+" as a space.
func copySource(h http.Header) (bucket, key, version string, err error) {
	raw := strings.TrimPrefix(h.Get("X-Amz-Copy-Source"), "/")
	if i := strings.LastIndex(raw, "?versionId="); i >= 0 {
		raw, version = raw[:i], raw[i+len("?versionId="):]
	}
	if decoded, err := url.QueryUnescape(raw); err == nil && strings.HasPrefix(decoded, "arn:") {
		bucket, key, _ = strings.Cut(decoded, "/object/")
	} else {
		bucket, key, _ = strings.Cut(raw, "/")
		key, err = url.QueryUnescape(key)
		if err != nil {
			key = ""
		}
	}
	if bucket == "" || key == "" {
		return "", "", "", errInvalidArgument("Invalid copy source object key")
	}
	return bucket, key, version, nil
}

func setSourceVersion(h http.Header, r reading, src *object) {
	if r.bucket.versioned() {
		h.Set("X-Amz-Copy-Source-Version-Id", src.versionID)
	}
}

// refuseCrossRegion refuses copies from an access point to another Region ("CopyObject", Amazon S3 API Reference; the words are ours).
func refuseCrossRegion(from way, to *Bucket) error {
	if from.point == nil || from.bucket.region == to.region {
		return nil
	}
	return errInvalidRequest("Copying from an access point to a bucket in another Region is not supported.")
}
