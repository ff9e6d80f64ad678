package awsfake

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits of objects and requests ("Amazon S3 multipart upload limits", "Working with object
// metadata", "Categorizing your storage using tags", Amazon S3 User Guide).
const (
	maxKey          = 1024               // bytes of UTF-8
	maxSinglePut    = 5 << 30            // bytes, of PutObject, of a part and of a CopyObject source
	minPart         = 5 << 20            // bytes, of every part but the last
	maxParts        = 10000              // part numbers
	maxObject       = 50_000_000_000_000 // bytes
	maxUserMetadata = 2 << 10            // bytes of names and values
	maxTags         = 10
	maxPage         = 1000 // keys, parts or uploads
)

// s3Operation serves one operation of the API on a bucket that exists, or with noBucket without one.
type s3Operation struct {
	serve     func(*request, *Bucket) (*response, error)
	noBucket  bool
	anyRegion bool
	point     bool // access points have it
}

func s3Operations() map[string]s3Operation {
	on := func(f func(*request, *Bucket) (*response, error)) s3Operation { return s3Operation{serve: f} }
	in := func(f func(*request, *Bucket) (*response, error)) s3Operation {
		return s3Operation{serve: f, point: true}
	}
	return map[string]s3Operation{
		"ListBuckets":                     {serve: (*request).listBuckets, noBucket: true},
		"CreateBucket":                    {serve: (*request).createBucket, noBucket: true},
		"GetBucketLocation":               {serve: (*request).getBucketLocation, anyRegion: true, point: true},
		"HeadBucket":                      in((*request).headBucket),
		"DeleteBucket":                    on((*request).deleteBucket),
		"GetBucketPolicy":                 in((*request).getBucketPolicy),
		"PutBucketPolicy":                 on((*request).putBucketPolicy),
		"DeleteBucketPolicy":              on((*request).deleteBucketPolicy),
		"GetBucketPolicyStatus":           on((*request).getBucketPolicyStatus),
		"GetBucketEncryption":             on((*request).getBucketEncryption),
		"PutBucketEncryption":             on((*request).putBucketEncryption),
		"DeleteBucketEncryption":          on((*request).deleteBucketEncryption),
		"GetBucketVersioning":             on((*request).getBucketVersioning),
		"PutBucketVersioning":             on((*request).putBucketVersioning),
		"GetBucketOwnershipControls":      on((*request).getBucketOwnershipControls),
		"PutBucketOwnershipControls":      on((*request).putBucketOwnershipControls),
		"GetPublicAccessBlock":            on((*request).getPublicAccessBlock),
		"PutPublicAccessBlock":            on((*request).putPublicAccessBlock),
		"DeletePublicAccessBlock":         on((*request).deletePublicAccessBlock),
		"GetBucketLifecycleConfiguration": on((*request).getBucketLifecycle),
		"PutBucketLifecycleConfiguration": on((*request).putBucketLifecycle),
		"DeleteBucketLifecycle":           on((*request).deleteBucketLifecycle),
		"GetBucketTagging":                on((*request).getBucketTagging),
		"PutBucketTagging":                on((*request).putBucketTagging),
		"DeleteBucketTagging":             on((*request).deleteBucketTagging),
		"GetBucketRequestPayment":         on((*request).getBucketRequestPayment),
		"GetObjectLockConfiguration":      on((*request).getObjectLockConfiguration),
		"ListObjectsV2":                   in((*request).listObjectsV2),
		"ListObjects":                     in((*request).listObjects),
		"ListObjectVersions":              in((*request).listObjectVersions),
		"ListMultipartUploads":            in((*request).listMultipartUploads),
		"DeleteObjects":                   in((*request).deleteObjects),
		"GetObject":                       in((*request).getObject),
		"HeadObject":                      in((*request).headObject),
		"PutObject":                       in((*request).putObject),
		"CopyObject":                      in((*request).copyObject),
		"DeleteObject":                    in((*request).deleteObject),
		"GetObjectTagging":                in((*request).getObjectTagging),
		"PutObjectTagging":                in((*request).putObjectTagging),
		"DeleteObjectTagging":             in((*request).deleteObjectTagging),
		"GetObjectAttributes":             in((*request).getObjectAttributes),
		"GetObjectRetention":              in((*request).getObjectRetention),
		"GetObjectLegalHold":              in((*request).getObjectLegalHold),
		"ListObjectAnnotations":           in((*request).listObjectAnnotations),
		"GetObjectAnnotation":             in((*request).getObjectAnnotation),
		"PutObjectAnnotation":             in((*request).putObjectAnnotation),
		"DeleteObjectAnnotation":          in((*request).deleteObjectAnnotation),
		"CreateMultipartUpload":           in((*request).createMultipartUpload),
		"UploadPart":                      in((*request).uploadPart),
		"UploadPartCopy":                  in((*request).uploadPartCopy),
		"CompleteMultipartUpload":         in((*request).completeMultipartUpload),
		"AbortMultipartUpload":            in((*request).abortMultipartUpload),
		"ListParts":                       in((*request).listParts),
	}
}

// readS3 takes bucket and key from the host name and the path, byte for byte.
func (q *request) readS3() error {
	rest := strings.TrimPrefix(q.path, "/")
	rawKey, hasKey := rest, rest != ""
	if q.bucket = cmp.Or(q.cloud.pointOfHost(q.http), bucketOfHost(q.http)); q.bucket == "" {
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
	q.operation = s3OperationName(q.http, q.query, q.bucket != "", hasKey)
	return nil
}

func errInvalidURI() error {
	return refuse(http.StatusBadRequest, "InvalidURI", "Couldn't parse the specified URI.")
}

// bucketOfHost is the bucket of a virtual-host style request: "b.localhost", "b.s3.amazonaws.com" or
// "b.s3.us-west-2.amazonaws.com"; "" for path style.
func bucketOfHost(r *http.Request) string {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if b, found := strings.CutSuffix(host, ".localhost"); found {
		return b
	}
	rest, aws := strings.CutSuffix(host, ".amazonaws.com")
	if !aws || rest == "s3" || strings.HasPrefix(rest, "s3.") {
		return ""
	}
	if i := strings.LastIndex(rest, ".s3"); i > 0 && (i+3 == len(rest) || rest[i+3] == '.') {
		return rest[:i]
	}
	return ""
}

// s3OperationName names what the request asks for; of what the fake does not know it names method and subresource.
func s3OperationName(r *http.Request, query url.Values, hasBucket, hasKey bool) string {
	name := ""
	switch {
	case !hasBucket:
		if r.Method == http.MethodGet {
			return "ListBuckets"
		}
	case hasKey:
		name = objectOperation(r, query)
	default:
		name = bucketOperation(r.Method, query)
	}
	if name != "" {
		return name
	}
	name = r.Method
	for _, sub := range slices.Concat(knownSubresources(), foreignSubresources()) {
		if query.Has(sub) {
			return name + " ?" + sub
		}
	}
	return name
}

func knownSubresources() []string {
	return []string{
		"uploads", "uploadId", "annotation", "retention", "legal-hold", "tagging", "attributes", "policy", "policyStatus", "encryption", "versioning", "versions",
		"location", "delete", "ownershipControls", "publicAccessBlock", "requestPayment", "lifecycle",
	}
}

// foreignSubresources must not be mistaken for the plain operation of their method.
func foreignSubresources() []string {
	return []string{
		"acl", "accelerate", "analytics", "cors", "intelligent-tiering", "inventory", "logging",
		"metrics", "notification", "object-lock", "replication", "restore", "select", "session", "torrent", "website",
		"renameObject", "metadataConfiguration", "metadataTable", "abac",
	}
}

func subresource(query url.Values) string {
	for _, sub := range slices.Concat(foreignSubresources(), knownSubresources()) {
		if query.Has(sub) {
			return sub
		}
	}
	return ""
}

func objectOperation(r *http.Request, query url.Values) string {
	copies := r.Header.Get("X-Amz-Copy-Source") != ""
	switch r.Method + " " + subresource(query) {
	case "GET ":
		return "GetObject"
	case "HEAD ":
		return "HeadObject"
	case "DELETE ":
		return "DeleteObject"
	case "PUT ":
		if copies {
			return "CopyObject"
		}
		return "PutObject"
	case "PUT uploadId":
		if copies {
			return "UploadPartCopy"
		}
		return "UploadPart"
	case "GET uploadId":
		return "ListParts"
	case "POST uploadId":
		return "CompleteMultipartUpload"
	case "DELETE uploadId":
		return "AbortMultipartUpload"
	case "POST uploads":
		return "CreateMultipartUpload"
	case "GET tagging":
		return "GetObjectTagging"
	case "PUT tagging":
		return "PutObjectTagging"
	case "DELETE tagging":
		return "DeleteObjectTagging"
	case "GET attributes":
		return "GetObjectAttributes"
	case "GET annotation":
		if query.Has("annotationName") {
			return "GetObjectAnnotation"
		}
		return "ListObjectAnnotations"
	case "GET retention":
		return "GetObjectRetention"
	case "GET legal-hold":
		return "GetObjectLegalHold"
	case "PUT annotation":
		return "PutObjectAnnotation"
	case "DELETE annotation":
		return "DeleteObjectAnnotation"
	}
	return ""
}

func bucketOperation(method string, query url.Values) string {
	switch method + " " + subresource(query) {
	case "GET ":
		if query.Get("list-type") == "2" {
			return "ListObjectsV2"
		}
		return "ListObjects"
	case "HEAD ":
		return "HeadBucket"
	case "PUT ":
		return "CreateBucket"
	case "DELETE ":
		return "DeleteBucket"
	case "GET versions":
		return "ListObjectVersions"
	case "GET uploads":
		return "ListMultipartUploads"
	case "POST delete":
		return "DeleteObjects"
	case "GET location":
		return "GetBucketLocation"
	case "GET policyStatus":
		return "GetBucketPolicyStatus"
	case "GET requestPayment":
		return "GetBucketRequestPayment"
	case "GET object-lock":
		return "GetObjectLockConfiguration"
	}
	return settingOperation(method, query)
}

// settingOperation names the operations that read, write and delete a setting of a bucket. Of some the names are irregular.
func settingOperation(method string, query url.Values) string {
	setting := map[string]string{
		"policy": "BucketPolicy", "encryption": "BucketEncryption", "versioning": "BucketVersioning", "tagging": "BucketTagging",
		"ownershipControls": "BucketOwnershipControls", "publicAccessBlock": "PublicAccessBlock", "lifecycle": "BucketLifecycleConfiguration",
	}[subresource(query)]
	verb := map[string]string{http.MethodGet: "Get", http.MethodPut: "Put", http.MethodDelete: "Delete"}[method]
	switch {
	case setting == "" || verb == "":
		return ""
	case setting == "BucketLifecycleConfiguration" && method == http.MethodDelete:
		return "DeleteBucketLifecycle"
	}
	return verb + setting
}

func (q *request) serveS3() (*response, error) {
	op, known := q.cloud.s3[q.operation]
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
	if err := op.throughPoint(w); err != nil {
		return nil, err
	}
	b := w.bucket
	q.point = w.point
	if b.region != q.region && !op.anyRegion {
		return nil, q.wrongRegion(b)
	}
	if err := q.admit(b); err != nil {
		return nil, err
	}
	return op.serve(q, b)
}

// admit refuses a request before anybody asks what it may do: at the wrong pace, or without saying that it pays.
func (q *request) admit(b *Bucket) error {
	if err := q.throttleS3(b); err != nil {
		return err
	}
	return q.checkPayer(b)
}

// checkPayer refuses requests of other accounts on a bucket whose requesters pay, unless they say that they do.
func (q *request) checkPayer(b *Bucket) error {
	b.mu.RLock()
	pays := b.requester
	b.mu.RUnlock()
	if !pays || q.caller.account == b.account {
		return nil
	}
	if q.http.Header.Get("X-Amz-Request-Payer") != "requester" {
		return errAccessDenied(serviceS3)
	}
	q.charged = true
	return nil
}

// findBucket looks a bucket up, by its name or an access point of it, and compares its owner with the expected one unless that is "".
func (q *request) findBucket(name, owner string) (way, error) {
	q.cloud.mu.RLock()
	w := way{bucket: q.cloud.buckets[name], point: q.cloud.points[name]}
	q.cloud.mu.RUnlock()
	switch {
	case w.point != nil:
		w.bucket = w.point.bucket
	case strings.HasPrefix(name, "arn:"):
		return way{}, errNoSuchAccessPoint()
	case w.bucket == nil:
		return way{}, errNoSuchBucket(name)
	}
	if owner != "" && owner != w.bucket.account.id {
		return way{}, errAccessDenied(serviceS3)
	}
	return w, nil
}

// wrongRegion is the answer to a request that was signed for a Region where the bucket is not: a
// redirect, or, when the host names the bucket's own Region, the remark that the signature is at fault.
func (q *request) wrongRegion(b *Bucket) error {
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
		with("Endpoint", "s3."+b.region+".amazonaws.com", "Bucket", b.name).withHeader("X-Amz-Bucket-Region", b.region)
}

// optInRegions are some of those that have to be enabled. The endpoints of others do not redirect to them.
func optInRegions() []string { return []string{"af-south-1", "ap-east-1", "eu-south-1", "me-south-1"} }

func answer(status int) *response { return &response{status: status, header: http.Header{}} }

func answerXML(x *xmlWriter) *response {
	res := answer(http.StatusOK)
	res.setXML(x)
	return res
}
