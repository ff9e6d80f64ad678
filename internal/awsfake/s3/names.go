package s3

import (
	"net/http"
	"net/url"
	"slices"
)

// operationName returns the name of the request's operation. If the fake does not know the
// operation, it returns the method and the subresource.
func operationName(r *http.Request, query url.Values, hasBucket, hasKey bool) string {
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

// foreignSubresources returns subresources that the fake does not implement. A request with one of
// these subresources must not be mistaken for the same request without it: GET ?acl is not
// GetObject.
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

// settingOperation returns the name of the operation that reads, writes or deletes a bucket
// setting, or "" if the request is no such operation. Some names are irregular.
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
