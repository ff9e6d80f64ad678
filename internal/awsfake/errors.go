package awsfake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// The services, by the names that signatures carry.
const (
	serviceS3  = "s3"
	serviceSTS = "sts"
	serviceKMS = "kms"
	serviceIAM = "iam"
	// serviceCloudFormation is there for what the documents deploy with it.
	serviceCloudFormation = "cloudformation"
)

// protocol is the form of a service's requests and answers.
type protocol int

const (
	restXML   protocol = iota // S3
	queryForm                 // STS, IAM, CloudFormation: a form, answered in XML
	awsJSON                   // KMS
)

// protocol goes by the service, and where the fake does not have it by what the request looks like: its refusal must be readable too.
func (q *request) protocol() protocol {
	switch q.service {
	case serviceS3:
		return restXML
	case serviceSTS, serviceIAM, serviceCloudFormation:
		return queryForm
	case serviceKMS:
		return awsJSON
	}
	switch {
	case q.http.Header.Get("X-Amz-Target") != "":
		return awsJSON
	case strings.HasPrefix(q.http.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return queryForm
	}
	return restXML
}

// apiError is a refusal in AWS's words. Statuses and codes of S3 are those of "Error responses" in
// the Amazon S3 API Reference.
type apiError struct {
	status        int
	code, message string
	fields        []string          // further elements of S3's <Error>: name, value, ...
	header        map[string]string // further headers
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

// with adds elements to the answer: name, value, ...
func (e *apiError) with(fields ...string) *apiError {
	e.fields = append(e.fields, fields...)
	return e
}

func (e *apiError) withHeader(name, value string) *apiError {
	if e.header == nil {
		e.header = map[string]string{}
	}
	e.header[name] = value
	return e
}

func refuse(status int, code, format string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func errAccessDenied(service string) *apiError {
	if service == serviceKMS {
		return refuse(http.StatusBadRequest, "AccessDeniedException", "Access Denied")
	}
	return refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
}

func errExpiredToken(service string) *apiError {
	switch service {
	case serviceKMS:
		return refuse(http.StatusBadRequest, "ExpiredTokenException", "The security token included in the request is expired")
	case serviceSTS, serviceIAM, serviceCloudFormation:
		return refuse(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	}
	return refuse(http.StatusBadRequest, "ExpiredToken", "The provided token has expired.")
}

func throttled(service string) *apiError {
	if service != serviceS3 {
		return refuse(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	}
	return refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
}

func throttledKMS(service string) *apiError {
	if service != serviceS3 {
		return refuse(http.StatusBadRequest, "ThrottlingException",
			"You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
	}
	return refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate for operations involving AWS KMS.")
}

// errPreconditionFailed names the condition that did not hold.
func errPreconditionFailed(condition string) *apiError {
	e := refuse(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	if condition != "" {
		return e.with("Condition", condition)
	}
	return e
}

func errConflict() *apiError {
	return refuse(http.StatusConflict, "ConditionalRequestConflict",
		"The conditional request cannot succeed due to a conflicting operation against this resource.")
}

func errNoSuchKey(key string) *apiError {
	return refuse(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.").with("Key", key)
}

func errNoSuchVersion(key, version string) *apiError {
	return refuse(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.").with("Key", key, "VersionId", version)
}

func errNoSuchBucket(bucket string) *apiError {
	return refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", bucket)
}

func errNoSuchAccessPoint() *apiError {
	return refuse(http.StatusNotFound, "NoSuchAccessPoint", "The specified accesspoint does not exist")
}

func errNoSuchUpload(id string) *apiError {
	return refuse(http.StatusNotFound, "NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.").with("UploadId", id)
}

func errInvalidArgument(format string, args ...any) *apiError {
	return refuse(http.StatusBadRequest, "InvalidArgument", format, args...)
}

func errInvalidRequest(format string, args ...any) *apiError {
	return refuse(http.StatusBadRequest, "InvalidRequest", format, args...)
}

func errNotImplemented(what string) *apiError {
	return refuse(http.StatusNotImplemented, "NotImplemented", "A header or operation you provided implies functionality that is not implemented: %s", what)
}

func errMalformedXML() *apiError {
	return refuse(http.StatusBadRequest, "MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema")
}

func errInternal(err error) *apiError {
	return refuse(http.StatusInternalServerError, "InternalError", "We encountered an internal error. Please try again. (%v)", err)
}

// refusal is the answer to a request that met an error.
func (q *request) refusal(e *apiError) *response {
	res := &response{status: e.status, header: http.Header{}}
	for k, v := range e.header {
		res.header.Set(k, v)
	}
	if q.http.Method == http.MethodHead || e.status == http.StatusNotModified {
		return res
	}
	switch q.protocol() {
	case restXML:
		res.setXML(q.s3Error(e))
	case queryForm:
		res.header.Set("Content-Type", "text/xml")
		res.setBody(q.queryError(e))
	case awsJSON:
		body, err := json.Marshal(map[string]string{"__type": e.code, "message": e.message})
		if err != nil {
			panic("BUG: strings marshal")
		}
		res.header.Set("Content-Type", "application/x-amz-json-1.1")
		res.header.Set("X-Amzn-Errortype", e.code)
		res.setBody(body)
	}
	return res
}

func (q *request) s3Error(e *apiError) *xmlWriter {
	x := newXML()
	x.open("Error")
	x.element("Code", e.code)
	x.element("Message", e.message)
	for i := 0; i+1 < len(e.fields); i += 2 {
		x.element(e.fields[i], e.fields[i+1])
	}
	x.element("RequestId", q.id)
	x.element("HostId", hostID(q.id))
	x.close("Error")
	return x
}

func (q *request) queryError(e *apiError) []byte {
	x := newXML()
	namespace := stsNamespace
	switch q.service {
	case serviceIAM:
		namespace = iamNamespace
	case serviceCloudFormation:
		namespace = stackNamespace
	}
	x.openNS("ErrorResponse", namespace)
	x.open("Error")
	x.element("Type", "Sender")
	x.element("Code", e.code)
	x.element("Message", e.message)
	x.close("Error")
	x.element("RequestId", strings.ToLower(q.id))
	x.close("ErrorResponse")
	return x.bytes()
}

// hostID is the x-amz-id-2 of a request: opaque, and made of its id.
func hostID(id string) string { return id + "/awsfake" }
