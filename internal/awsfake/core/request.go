package core

import (
	"net/http"
	"net/url"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/signature"
	"syncd/internal/awsfake/wire"
)

// Service is what a service of AWS hands in: how its requests are recognised and written, and what
// serves them.
type Service struct {
	Name      string // by which requests are signed for it
	Protocol  wire.Protocol
	Namespace string // of its refusals, where requests are forms
	Target    string // begins X-Amz-Target of its requests, where they are JSON
	// AnyOther makes it the service of every request that is signed for no other, or whose
	// service's name begins with its own.
	AnyOther bool
	// OwnsHost reports whether the host of a request says something to the service; nil for never.
	OwnsHost func(*http.Request) bool
	// Read finds the operation of a request, and what it is about, where its protocol alone does
	// not say it; nil otherwise.
	Read func(*Request) error
	// Serve answers a request whose caller is known.
	Serve func(*Request) (*wire.Response, error)
	// Seal sets the headers that every answer of the service has; nil for X-Amzn-Requestid alone.
	Seal func(*Request, http.Header)
}

// Request is one HTTP request on its way through a service.
type Request struct {
	signature.Message
	Cloud *Cloud
	ID    string

	Endpoint    *Endpoint // nil: through the internet
	Operation   string
	Bucket, Key string     // that it is about, for services that have such: faults and counts go by them
	Form        url.Values // of a request that is a form

	IgnoresConditions bool        // of writes
	extra             http.Header // that the answer gets, even if it is a refusal

	to        *Service // nil: the fake does not have it
	signature *signature.Signature
	Region    string // that the request was signed for
	Caller    *directory.Credential
	facts     map[string][]string // context keys
}

// Payload opens the body of an upload.
func (q *Request) Payload() (*signature.Payload, error) { return q.Message.Payload(q.signature) }

// Promise sets a header of the answer, whatever it will be.
func (q *Request) Promise(name, value string) {
	if q.extra == nil {
		q.extra = http.Header{}
	}
	q.extra.Set(name, value)
}
