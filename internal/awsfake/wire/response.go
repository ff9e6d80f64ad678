package wire

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
)

// Response is an answer whose body is read by the entry point.
type Response struct {
	Status int
	Header http.Header
	Body   io.Reader // nil: none
	Size   int64     // of the body, -1 for unknown; of a HEAD, what GET would send
}

// SetBody sets the body and its size.
func (res *Response) SetBody(b []byte) {
	res.Body, res.Size = bytes.NewReader(b), int64(len(b))
}

func (res *Response) setXML(x *XML) {
	res.Header.Set("Content-Type", "application/xml")
	res.SetBody(x.Bytes())
}

// Answer is an answer without a body.
func Answer(status int) *Response { return &Response{Status: status, Header: http.Header{}} }

// AnswerXML is a successful answer with a document as its body.
func AnswerXML(x *XML) *Response {
	res := Answer(http.StatusOK)
	res.setXML(x)
	return res
}

// Whole reads the body.
func (res *Response) Whole() ([]byte, error) {
	if res.Body == nil {
		return nil, nil
	}
	return io.ReadAll(res.Body)
}

var etagElement = regexp.MustCompile(`<ETag>[^<]*</ETag>`)

// ReplaceETags puts another ETag in the place of all, in the header and in the body.
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
