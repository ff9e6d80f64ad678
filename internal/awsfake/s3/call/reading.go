package call

import (
	"net/http"
	"strings"

	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// Reading describes a read of one object, in the request's bucket or as a copy source.
type Reading struct {
	Bucket       *store.Bucket
	Point        *store.AccessPoint // used to reach the bucket; nil for none
	Key, Version string
	Action       string // like "s3:GetObject"; Permission returns the action for a version
}

// Way returns the reading's bucket and access point.
func (r Reading) Way() Way { return Way{r.Bucket, r.Point} }

// Permission returns the action that the reading requires.
func (r Reading) Permission() string {
	if r.Version == "" {
		return r.Action
	}
	return strings.Replace(r.Action, "Object", "ObjectVersion", 1)
}

// Open authorises the reading and returns the object. For a key that does not exist, the error is
// 404 for callers with permission to list the bucket and 403 for other callers ("GetObject", Amazon
// S3 API Reference).
func (q *Request) Open(r Reading) (*store.Object, error) {
	o := r.Bucket.Lookup(r.Key, r.Version)
	facts := map[string][]string{}
	if r.Version != "" {
		facts["s3:versionid"] = []string{r.Version}
	}
	if o != nil {
		for k, v := range o.Tags {
			facts["s3:ExistingObjectTag/"+k] = []string{v}
		}
	}
	if err := q.AllowOn(r.Way(), r.Permission(), r.Key, facts); err != nil {
		return nil, err
	}
	if o != nil && !o.Marker {
		return o, nil
	}
	return nil, q.absent(r, o)
}

func (q *Request) absent(r Reading, o *store.Object) error {
	if r.Version != "" && o != nil {
		return wire.Refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.").
			WithHeader("X-Amz-Delete-Marker", "true").WithHeader("Allow", "DELETE")
	}
	if err := q.AllowOn(r.Way(), "s3:ListBucket", "", nil); err != nil {
		return err
	}
	if r.Version != "" {
		return errNoSuchVersion(r.Key, r.Version)
	}
	if o != nil {
		return wire.ErrNoSuchKey(r.Key).WithHeader("X-Amz-Delete-Marker", "true").WithHeader("X-Amz-Version-Id", o.VersionID)
	}
	return wire.ErrNoSuchKey(r.Key)
}

// Target returns the reading of the object that the request names.
func (q *Request) Target(b *store.Bucket, action string) Reading {
	return Reading{Bucket: b, Point: q.Point, Key: q.Key, Version: q.Query.Get("versionId"), Action: action}
}

func errNoSuchVersion(key, version string) *wire.Error {
	return wire.Refuse(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.").With("Key", key, "VersionId", version)
}
