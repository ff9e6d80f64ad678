// Package wire is what services of AWS send and how they refuse.
//
// It promises answers as AWS writes them: XML with the control characters that S3 sends, refusals
// in the form of each protocol, and for the few refusals that every service has the status and the
// code of its protocol. It knows no service and no request, only what a refusal names of one
// ([Asker]); what is served and to whom it leaves to the packages above.
//
// Words to know. A [Protocol] is the form of a service's requests and answers; an [Error] is a
// refusal in AWS's words.
package wire

import (
	"encoding/json"
	"net/http"
	"strings"
)

// Protocol is the form of a service's requests and answers.
type Protocol int

// The protocols of AWS.
const (
	RestXML Protocol = iota // a method on a path, answered in XML
	Form                    // a form, answered in XML
	JSON                    // an object in JSON, answered likewise
)

// GuessProtocol goes by what a request looks like, where its service is unknown: its refusal must
// be readable too.
func GuessProtocol(h http.Header) Protocol {
	switch {
	case h.Get("X-Amz-Target") != "":
		return JSON
	case strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return Form
	}
	return RestXML
}

// AccessDenied is the refusal without a reason.
func (p Protocol) AccessDenied() *Error {
	if p == JSON {
		return Refuse(http.StatusBadRequest, "AccessDeniedException", "Access Denied")
	}
	return Refuse(http.StatusForbidden, "AccessDenied", "Access Denied")
}

// ExpiredToken is the refusal of a session that has ended.
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

// Throttled is the refusal of a request that came too soon.
func (p Protocol) Throttled() *Error {
	if p != RestXML {
		return Refuse(http.StatusBadRequest, "ThrottlingException", "Rate exceeded")
	}
	return Refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
}

// ThrottledKMS is throttled for requests that use a KMS key too often.
func (p Protocol) ThrottledKMS() *Error {
	if p != RestXML {
		return Refuse(http.StatusBadRequest, "ThrottlingException",
			"You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")
	}
	return Refuse(http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate for operations involving AWS KMS.")
}

// Asker is what a refusal names of the request that it answers.
type Asker struct {
	Protocol  Protocol
	Method    string // of HTTP
	ID        string
	Namespace string // of XML answers to a form
}

// Refusal is the answer to a request that met an error.
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

// HostID is the x-amz-id-2 of a request: opaque, and made of its id.
func HostID(id string) string { return id + "/awsfake" }

// SignatureMismatch is the refusal of a wrong signature.
func (p Protocol) SignatureMismatch() error {
	const text = "The request signature we calculated does not match the signature you provided. " +
		"Check your key and signing method."
	if p == JSON {
		return Refuse(http.StatusBadRequest, "InvalidSignatureException", text)
	}
	return Refuse(http.StatusForbidden, "SignatureDoesNotMatch", text)
}
