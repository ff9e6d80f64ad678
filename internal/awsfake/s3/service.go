// Package s3 dispatches S3 requests: it determines the operation and the bucket of a request.
//
// It names the operation of every request, including operations that the fake does not implement,
// and finds the bucket by path, host name or access point, in the Region that the request was
// signed for. The operations are in the packages setting (buckets), listing, object and upload.
// These packages share the request type of package call, and store their data in package store.
//
// Terms: a subresource is a query parameter that selects the operation: GET returns an object, GET
// with ?tagging returns its tags. An access point is another address of a bucket, with a separate
// policy.
package s3

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/listing"
	"syncd/internal/awsfake/s3/object"
	"syncd/internal/awsfake/s3/setting"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/s3/upload"
	"syncd/internal/awsfake/wire"
)

// service is S3: its operations by name.
type service struct {
	store      *store.Store
	operations map[string]call.Operation
}

// Serve adds S3 to the cloud. It serves the buckets of a store.
func Serve(c *core.Cloud, store *store.Store) {
	s := &service{store: store, operations: map[string]call.Operation{}}
	for _, operations := range []map[string]call.Operation{setting.Operations(), listing.Operations(), object.Operations(), upload.Operations()} {
		maps.Copy(s.operations, operations)
	}
	c.Serve(core.Service{
		Name: "s3", Protocol: wire.RestXML, AnyOther: true, OwnsHost: func(r *http.Request) bool { return s.bucketOf(r) != "" },
		Read: s.read, Serve: s.serve, Seal: sealAnswer,
	})
}

// bucketOf returns the bucket or access point in the host of a request, or "".
func (s *service) bucketOf(r *http.Request) string {
	host := hostName(r)
	return cmp.Or(s.store.PointOfHost(host), bucketOfHost(host))
}

// read takes the bucket and key from the host name and the path, byte for byte.
func (s *service) read(q *core.Request) error {
	rest := strings.TrimPrefix(q.Path, "/")
	rawKey, hasKey := rest, rest != ""
	if q.Bucket = s.bucketOf(q.HTTP); q.Bucket == "" {
		var rawBucket string
		rawBucket, rawKey, _ = strings.Cut(rest, "/")
		hasKey = rawKey != ""
		var err error
		if q.Bucket, err = url.PathUnescape(rawBucket); err != nil {
			return errInvalidURI()
		}
	}
	var err error
	if q.Key, err = url.PathUnescape(rawKey); err != nil || !utf8.ValidString(q.Key) {
		return errInvalidURI()
	}
	q.Operation = operationName(q.HTTP, q.Query, q.Bucket != "", hasKey)
	return nil
}

func errInvalidURI() error {
	return wire.Refuse(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
}

func (s *service) serve(core *core.Request) (*wire.Response, error) {
	q := &call.Request{Request: core, Store: s.store}
	op, known := s.operations[q.Operation]
	if !known {
		return nil, wire.ErrNotImplemented(q.Operation)
	}
	if len(q.Key) > maxKey {
		return nil, wire.Refuse(http.StatusBadRequest, "KeyTooLongError", "Your key is too long").With("MaxSizeAllowed", "1024")
	}
	if op.NoBucket {
		return op.Serve(q, nil)
	}
	w, err := q.FindBucket(q.Bucket, q.HTTP.Header.Get("X-Amz-Expected-Bucket-Owner"))
	if err != nil {
		return nil, err
	}
	if err := throughPoint(op, w); err != nil {
		return nil, err
	}
	b := w.Bucket
	q.Point = w.Point
	if b.Region != q.Region && !op.AnyRegion {
		return nil, wrongRegion(q, b)
	}
	if err := q.Admit(b); err != nil {
		return nil, err
	}
	return op.Serve(q, b)
}

// throughPoint rejects operations that access points do not support ("Access point compatibility",
// Amazon S3 User Guide).
func throughPoint(op call.Operation, w call.Way) error {
	if w.Point == nil || op.Point {
		return nil
	}
	return wire.Refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
}

// wrongRegion returns the error for a request that was signed for a Region other than the bucket's.
// The error is a redirect, unless the host already names the bucket's Region: then the error is
// that the signature names the wrong Region.
func wrongRegion(q *call.Request, b *store.Bucket) error {
	if slices.Contains(optInRegions(), b.Region) {
		return wire.Refuse(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", b.Region)
	}
	if strings.Contains(q.HTTP.Host+q.HTTP.URL.Host, "."+b.Region+".amazonaws.com") {
		return wire.Refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; the region '%s' is wrong; expecting '%s'", q.Region, b.Region).
			With("Region", b.Region).WithHeader("X-Amz-Bucket-Region", b.Region)
	}
	return wire.Refuse(http.StatusMovedPermanently, "PermanentRedirect",
		"The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.").
		With("Endpoint", "s3."+b.Region+".amazonaws.com", "Bucket", b.Name()).WithHeader("X-Amz-Bucket-Region", b.Region)
}

// optInRegions returns some of the Regions that an account must enable. Endpoints in other Regions
// do not redirect to them.
func optInRegions() []string { return []string{"af-south-1", "ap-east-1", "eu-south-1", "me-south-1"} }

// sealAnswer sets the headers that every S3 response has.
func sealAnswer(q *core.Request, h http.Header) {
	h.Set("X-Amz-Request-Id", q.ID)
	h.Set("X-Amz-Id-2", wire.HostID(q.ID))
	h.Set("Server", "AmazonS3")
}

// maxKey is the maximum length of a key in bytes of UTF-8 ("Creating object key names", Amazon S3
// User Guide).
const maxKey = 1024
