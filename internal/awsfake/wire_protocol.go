package awsfake

import (
	"encoding/json"
	"net/http"
	"strings"
)

// protocol is the form of a service's requests and answers.
type protocol int

const (
	restXML   protocol = iota // a method on a path, answered in XML
	queryForm                 // a form, answered in XML
	awsJSON                   // an object in JSON, answered likewise
)

// guessProtocol goes by what a request looks like, where its service is unknown: its refusal must be readable too.
func guessProtocol(h http.Header) protocol {
	switch {
	case h.Get("X-Amz-Target") != "":
		return awsJSON
	case strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return queryForm
	}
	return restXML
}

// accessDenied is the refusal without a reason.
func (p protocol) accessDenied() *apiError {
	if p == awsJSON {
		return refuse(http.StatusBadRequest, "AccessDeniedException", "Access Denied")
	}
	return refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
}

// expiredToken is the refusal of a session that has ended.
func (p protocol) expiredToken() *apiError {
	switch p {
	case awsJSON:
		return refuse(http.StatusBadRequest, "ExpiredTokenException", "The security token included in the request is expired")
	case queryForm:
		return refuse(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	case restXML:
	}
	return refuse(http.StatusBadRequest, "ExpiredToken", "The provided token has expired.")
}

// throttled is the refusal of a request that came too soon.
func (p protocol) throttled() *apiError {
	if p != restXML {
		return refuse(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	}
	return refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
}

// throttledKMS is throttled for requests that use a KMS key too often.
func (p protocol) throttledKMS() *apiError {
	if p != restXML {
		return refuse(http.StatusBadRequest, "ThrottlingException",
			"You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
	}
	return refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate for operations involving AWS KMS.")
}

// asker is what a refusal names of the request that it answers.
type asker struct {
	protocol  protocol
	method    string // of HTTP
	id        string
	namespace string // of XML answers to a form
}

// refusal is the answer to a request that met an error.
func (a asker) refusal(e *apiError) *response {
	res := &response{status: e.status, header: http.Header{}}
	for k, v := range e.header {
		res.header.Set(k, v)
	}
	if a.method == http.MethodHead || e.status == http.StatusNotModified {
		return res
	}
	switch a.protocol {
	case restXML:
		res.setXML(e.element(a.id))
	case queryForm:
		res.header.Set("Content-Type", "text/xml")
		res.setBody(e.queryElement(a.namespace, a.id))
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

func (e *apiError) element(id string) *xmlWriter {
	x := newXML()
	x.open("Error")
	x.element("Code", e.code)
	x.element("Message", e.message)
	for i := 0; i+1 < len(e.fields); i += 2 {
		x.element(e.fields[i], e.fields[i+1])
	}
	x.element("RequestId", id)
	x.element("HostId", hostID(id))
	x.close("Error")
	return x
}

func (e *apiError) queryElement(namespace, id string) []byte {
	x := newXML()
	x.openNS("ErrorResponse", namespace)
	x.open("Error")
	x.element("Type", "Sender")
	x.element("Code", e.code)
	x.element("Message", e.message)
	x.close("Error")
	x.element("RequestId", strings.ToLower(id))
	x.close("ErrorResponse")
	return x.bytes()
}

// hostID is the x-amz-id-2 of a request: opaque, and made of its id.
func hostID(id string) string { return id + "/awsfake" }

// signatureMismatch is the refusal of a wrong signature.
func (p protocol) signatureMismatch() error {
	const text = "The request signature we calculated does not match the signature you provided. " +
		"Check your key and signing method."
	if p == awsJSON {
		return refuse(http.StatusBadRequest, "InvalidSignatureException", text)
	}
	return refuse(http.StatusForbidden, "SignatureDoesNotMatch", text)
}
