package core

import (
	"net/http"
	"net/url"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/signature"
	"syncd/internal/awsfake/wire"
)

// Service describes an AWS service to core: how to recognise its requests, how to write its
// responses, and how to serve them.
type Service struct {
	Name      string // the service name in signatures, such as "kms"
	Protocol  wire.Protocol
	Namespace string // XML namespace of the service's errors, if requests are forms
	Target    string // prefix of X-Amz-Target, if requests are JSON
	// AnyOther means that this service also serves two kinds of requests: those that name no
	// service, and those that are signed for a service whose name begins with Name.
	AnyOther bool
	// OwnsHost reports whether the service interprets the host of the request; nil means never.
	OwnsHost func(*http.Request) bool
	// Read sets the operation and the resource of a request. It is nil for a service whose protocol
	// alone determines the operation.
	Read func(*Request) error
	// Serve answers an authenticated request.
	Serve func(*Request) (*wire.Response, error)
	// Seal sets the headers that every response of the service has. If Seal is nil, the only such
	// header is X-Amzn-Requestid.
	Seal func(*Request, http.Header)
}

// Request is one HTTP request to a service.
type Request struct {
	signature.Message
	Cloud *Cloud
	ID    string

	Endpoint    *Endpoint // nil: from the internet
	Operation   string
	Bucket, Key string     // the S3 object or bucket, if any; faults and counts use it
	Form        url.Values // set if the request is a form

	IgnoresConditions bool        // on writes
	extra             http.Header // added to the response, even if it is an error

	to        *Service // nil: not implemented
	signature *signature.Signature
	Region    string // from the signature
	Caller    *directory.Credential
	facts     map[string][]string // context keys
}

// Payload returns the body of an upload, which is verified while it is read.
func (q *Request) Payload() (*signature.Payload, error) { return q.Message.Payload(q.signature) }

// Promise sets a header of the response, even if the response is an error.
func (q *Request) Promise(name, value string) {
	if q.extra == nil {
		q.extra = http.Header{}
	}
	q.extra.Set(name, value)
}
