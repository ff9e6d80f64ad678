package wire

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
)

// Response is the response of a service. The entry point reads the body and sends it to the client.
type Response struct {
	Status int
	Header http.Header
	Body   io.Reader // nil: none
	Size   int64     // of the body, -1 if unknown; for HEAD, the size that GET would send
}

// SetBody sets the body and its size.
func (res *Response) SetBody(b []byte) {
	res.Body, res.Size = bytes.NewReader(b), int64(len(b))
}

func (res *Response) setXML(x *XML) {
	res.Header.Set("Content-Type", "application/xml")
	res.SetBody(x.Bytes())
}

// Answer returns a response without a body.
func Answer(status int) *Response { return &Response{Status: status, Header: http.Header{}} }

// AnswerXML returns a successful response with a document as its body.
func AnswerXML(x *XML) *Response {
	res := Answer(http.StatusOK)
	res.setXML(x)
	return res
}

// Whole reads the whole body.
func (res *Response) Whole() ([]byte, error) {
	if res.Body == nil {
		return nil, nil
	}
	return io.ReadAll(res.Body)
}

var etagElement = regexp.MustCompile(`<ETag>[^<]*</ETag>`)

// ReplaceETags replaces the ETag header with header, or removes it if header is "", and replaces
// every <ETag> element of an XML body with element.
func (res *Response) ReplaceETags(header, element string) error {
	if res.Header.Get("Etag") != "" {
		res.Header.Set("Etag", header)
	}
	if header == "" {
		res.Header.Del("Etag")
	}
	if res.Header.Get("Content-Type") != "application/xml" {
		return nil
	}
	whole, err := res.Whole()
	res.SetBody(etagElement.ReplaceAll(whole, []byte(element)))
	return err
}
