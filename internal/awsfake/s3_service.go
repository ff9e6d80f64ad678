package awsfake

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// s3Service is S3: the names of its operations, and what serves them.
type s3Service struct {
	store      *s3Store
	operations map[string]s3Operation
}

// serveS3 adds S3 to the cloud, with the buckets of a store.
func serveS3(c *hub, store *s3Store) {
	s := &s3Service{store: store, operations: map[string]s3Operation{}}
	for _, operations := range []map[string]s3Operation{settingOperations(), listingOperations(), objectOperations(), uploadOperations()} {
		maps.Copy(s.operations, operations)
	}
	c.serve(service{
		name: "s3", protocol: restXML, anyOther: true, ownsHost: func(r *http.Request) bool { return s.bucketOf(r) != "" },
		read: s.read, serve: s.serve, seal: sealAnswer,
	})
}

// bucketOf is the bucket or the access point that the host of a request names, "" for none.
func (s *s3Service) bucketOf(r *http.Request) string {
	return cmp.Or(s.store.pointOfHost(r), bucketOfHost(r))
}

// read takes bucket and key from the host name and the path, byte for byte.
func (s *s3Service) read(q *request) error {
	rest := strings.TrimPrefix(q.path, "/")
	rawKey, hasKey := rest, rest != ""
	if q.bucket = s.bucketOf(q.http); q.bucket == "" {
		var rawBucket string
		rawBucket, rawKey, _ = strings.Cut(rest, "/")
		hasKey = rawKey != ""
		var err error
		if q.bucket, err = url.PathUnescape(rawBucket); err != nil {
			return errInvalidURI()
		}
	}
	var err error
	if q.key, err = url.PathUnescape(rawKey); err != nil || !utf8.ValidString(q.key) {
		return errInvalidURI()
	}
	q.operation = operationName(q.http, q.query, q.bucket != "", hasKey)
	return nil
}

func errInvalidURI() error {
	return refuse(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
}

func (s *s3Service) serve(core *request) (*response, error) {
	q := &s3Request{request: core, s3: s.store}
	op, known := s.operations[q.operation]
	if !known {
		return nil, errNotImplemented(q.operation)
	}
	if len(q.key) > maxKey {
		return nil, refuse(http.StatusBadRequest, "KeyTooLongError", "Your key is too long").with("MaxSizeAllowed", "1024")
	}
	if op.noBucket {
		return op.serve(q, nil)
	}
	w, err := q.findBucket(q.bucket, q.http.Header.Get("X-Amz-Expected-Bucket-Owner"))
	if err != nil {
		return nil, err
	}
	if err := throughPoint(op, w); err != nil {
		return nil, err
	}
	b := w.bucket
	q.point = w.point
	if b.region != q.region && !op.anyRegion {
		return nil, wrongRegion(q, b)
	}
	if err := q.admit(b); err != nil {
		return nil, err
	}
	return op.serve(q, b)
}

// throughPoint refuses operations that no access point has ("Access point compatibility", Amazon S3 User Guide).
func throughPoint(op s3Operation, w way) error {
	if w.point == nil || op.point {
		return nil
	}
	return refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
}

// wrongRegion is the answer to a request that was signed for a Region where the bucket is not: a
// redirect, or, when the host names the bucket's own Region, the remark that the signature is at fault.
func wrongRegion(q *s3Request, b *Bucket) error {
	if slices.Contains(optInRegions(), b.region) {
		return refuse(http.StatusBadRequest, "IllegalLocationConstraintException",
			"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", b.region)
	}
	if strings.Contains(q.http.Host+q.http.URL.Host, "."+b.region+".amazonaws.com") {
		return refuse(http.StatusBadRequest, "AuthorizationHeaderMalformed",
			"The authorization header is malformed; the region '%s' is wrong; expecting '%s'", q.region, b.region).
			with("Region", b.region).withHeader("X-Amz-Bucket-Region", b.region)
	}
	return refuse(http.StatusMovedPermanently, "PermanentRedirect",
		"The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.").
		with("Endpoint", "s3."+b.region+".amazonaws.com", "Bucket", b.Name()).withHeader("X-Amz-Bucket-Region", b.region)
}

// optInRegions are some of those that have to be enabled. The endpoints of others do not redirect to them.
func optInRegions() []string { return []string{"af-south-1", "ap-east-1", "eu-south-1", "me-south-1"} }

// sealAnswer sets the headers that every answer of S3 has.
func sealAnswer(q *request, h http.Header) {
	h.Set("X-Amz-Request-Id", q.id)
	h.Set("X-Amz-Id-2", hostID(q.id))
	h.Set("Server", "AmazonS3")
}

// maxKey is in bytes of UTF-8 ("Creating object key names", Amazon S3 User Guide).
const maxKey = 1024
