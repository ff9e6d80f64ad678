package awsfake

import (
	"net/http"
	"strings"
)

// reading is a wish to read one object, of the bucket in the path or of a copy source.
type reading struct {
	bucket       *Bucket
	point        *AccessPoint // through which it goes; nil for none
	key, version string
	action       string // "s3:GetObject"; with a version id S3 asks for another
}

func (r reading) way() way { return way{r.bucket, r.point} }

func (r reading) permission() string {
	if r.version == "" {
		return r.action
	}
	return strings.Replace(r.action, "Object", "ObjectVersion", 1)
}

// open authorises the reading and finds the object. A key that is not there is 404 for those who may
// list the bucket and 403 for others ("GetObject", Amazon S3 API Reference).
func (q *s3Request) open(r reading) (*object, error) {
	o := r.bucket.lookup(r.key, r.version)
	facts := map[string][]string{}
	if r.version != "" {
		facts["s3:versionid"] = []string{r.version}
	}
	if o != nil {
		for k, v := range o.tags {
			facts["s3:ExistingObjectTag/"+k] = []string{v}
		}
	}
	if err := q.allowOn(r.way(), r.permission(), r.key, facts); err != nil {
		return nil, err
	}
	if o != nil && !o.marker {
		return o, nil
	}
	return nil, q.absent(r, o)
}

func (q *s3Request) absent(r reading, o *object) error {
	if r.version != "" && o != nil {
		return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.").
			withHeader("X-Amz-Delete-Marker", "true").withHeader("Allow", "DELETE")
	}
	if err := q.allowOn(r.way(), "s3:ListBucket", "", nil); err != nil {
		return err
	}
	if r.version != "" {
		return errNoSuchVersion(r.key, r.version)
	}
	if o != nil {
		return errNoSuchKey(r.key).withHeader("X-Amz-Delete-Marker", "true").withHeader("X-Amz-Version-Id", o.versionID)
	}
	return errNoSuchKey(r.key)
}

func (q *s3Request) target(b *Bucket, action string) reading {
	return reading{bucket: b, point: q.point, key: q.key, version: q.query.Get("versionId"), action: action}
}

func errNoSuchVersion(key, version string) *apiError {
	return refuse(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.").with("Key", key, "VersionId", version)
}
