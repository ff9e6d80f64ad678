package awsfake

import (
	"net/http"
	"net/url"
)

// service is what a service of AWS hands in: how its requests are recognised and written, and what serves them.
type service struct {
	name      string // by which requests are signed for it
	protocol  protocol
	namespace string // of its refusals, where requests are forms
	target    string // begins X-Amz-Target of its requests, where they are JSON
	// anyOther makes it the service of every request that is signed for no other, or whose service's name begins with its own.
	anyOther bool
	// ownsHost reports whether the host of a request says something to the service; nil for never.
	ownsHost func(*http.Request) bool
	// read finds the operation of a request, and what it is about, where its protocol alone does not say it; nil otherwise.
	read func(*request) error
	// serve answers a request whose caller is known.
	serve func(*request) (*response, error)
	// seal sets the headers that every answer of the service has; nil for X-Amzn-Requestid alone.
	seal func(*request, http.Header)
}

// request is one HTTP request on its way through a service.
type request struct {
	message
	cloud *hub
	id    string

	endpoint    *Endpoint // nil: through the internet
	operation   string
	bucket, key string     // that it is about, for services that have such: faults and counts go by them
	form        url.Values // of a request that is a form

	ignoresConditions bool        // of writes
	extra             http.Header // that the answer gets, even if it is a refusal

	to        *service // nil: the fake does not have it
	signature *signature
	region    string // that the request was signed for
	caller    *credential
	facts     map[string][]string // context keys
}

// payload opens the body of an upload.
func (q *request) payload() (*payload, error) { return q.message.payload(q.signature) }
