// Package wire encodes responses and errors of AWS services.
//
// It writes responses as AWS does: XML with the control characters that S3 sends, errors in the
// format of each protocol, and the protocol's own status and code for the few errors that all
// services share. It does not depend on services or requests, except for the parts of a request
// that an error repeats ([Asker]). Other packages decide what to serve, and to whom.
//
// Terms: a [Protocol] is the format of a service's requests and responses. An [Error] is an AWS
// error.
package wire

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Protocol is the format of a service's requests and responses.
type Protocol int

// The protocols of AWS.
const (
	RestXML Protocol = iota // an HTTP method and path, answered in XML
	Form                    // a form, answered in XML
	JSON                    // a JSON object, answered in JSON
)

// GuessProtocol guesses the protocol of a request for an unknown service, so that the client can
// decode the error.
func GuessProtocol(h http.Header) Protocol {
	switch {
	case h.Get("X-Amz-Target") != "":
		return JSON
	case strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return Form
	}
	return RestXML
}

// AccessDenied returns the error for a denied request, without a reason.
func (p Protocol) AccessDenied() *Error {
	if p == JSON {
		return Refuse(http.StatusBadRequest, "AccessDeniedException", "Access Denied")
	}
	return Refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
}

// ExpiredToken returns the error for an expired session.
func (p Protocol) ExpiredToken() *Error {
	switch p {
	case JSON:
		return Refuse(http.StatusBadRequest, "ExpiredTokenException", "The security token included in the request is expired")
	case Form:
		return Refuse(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	case RestXML:
	}
	return Refuse(http.StatusBadRequest, "ExpiredToken", "The provided token has expired.")
}

// Throttled returns the error for a request above the rate limit.
func (p Protocol) Throttled() *Error {
	if p != RestXML {
		return Refuse(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	}
	return Refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
}

// ThrottledKMS returns the error for a request above the rate limit of KMS.
func (p Protocol) ThrottledKMS() *Error {
	if p != RestXML {
		return Refuse(http.StatusBadRequest, "ThrottlingException",
			"You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
	}
	return Refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate for operations involving AWS KMS.")
}

// Asker contains the parts of a request that an error response repeats.
type Asker struct {
	Protocol  Protocol
	Method    string // HTTP method
	ID        string
	Namespace string // XML namespace of responses to a form
}

// Refusal returns the response for an error.
func (a Asker) Refusal(e *Error) *Response {
	res := &Response{Status: e.Status, Header: http.Header{}}
	for k, v := range e.header {
		res.Header.Set(k, v)
	}
	if a.Method == http.MethodHead || e.Status == http.StatusNotModified {
		return res
	}
	switch a.Protocol {
	case RestXML:
		res.setXML(e.element(a.ID))
	case Form:
		res.Header.Set("Content-Type", "text/xml")
		res.SetBody(e.queryElement(a.Namespace, a.ID))
	case JSON:
		body, err := json.Marshal(map[string]string{"__type": e.Code, "message": e.Message})
		if err != nil {
			panic("BUG: strings marshal")
		}
		res.Header.Set("Content-Type", "application/x-amz-json-1.1")
		res.Header.Set("X-Amzn-Errortype", e.Code)
		res.SetBody(body)
	}
	return res
}

func (e *Error) element(id string) *XML {
	x := NewXML()
	x.Open("Error")
	x.Element("Code", e.Code)
	x.Element("Message", e.Message)
	for i := 0; i+1 < len(e.fields); i += 2 {
		x.Element(e.fields[i], e.fields[i+1])
	}
	x.Element("RequestId", id)
	x.Element("HostId", HostID(id))
	x.Close("Error")
	return x
}

func (e *Error) queryElement(namespace, id string) []byte {
	x := NewXML()
	x.OpenNS("ErrorResponse", namespace)
	x.Open("Error")
	x.Element("Type", "Sender")
	x.Element("Code", e.Code)
	x.Element("Message", e.Message)
	x.Close("Error")
	x.Element("RequestId", strings.ToLower(id))
	x.Close("ErrorResponse")
	return x.Bytes()
}

// HostID returns the x-amz-id-2 of a request, an opaque value derived from its ID.
func HostID(id string) string { return id + "/awsfake" }

// SignatureMismatch returns the error for a wrong signature.
func (p Protocol) SignatureMismatch() error {
	const text = "The request signature we calculated does not match the signature you provided. " +
		"Check your key and signing method."
	if p == JSON {
		return Refuse(http.StatusBadRequest, "InvalidSignatureException", text)
	}
	return Refuse(http.StatusForbidden, "SignatureDoesNotMatch", text)
}
