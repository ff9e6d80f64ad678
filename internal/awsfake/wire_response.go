package awsfake

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
)

// response is an answer whose body is pulled by whoever stands at the door.
type response struct {
	status int
	header http.Header
	body   io.Reader // nil: none
	size   int64     // of the body, -1 for unknown; of a HEAD, what GET would send
}

func (res *response) setBody(b []byte) {
	res.body, res.size = bytes.NewReader(b), int64(len(b))
}

func (res *response) setXML(x *xmlWriter) {
	res.header.Set("Content-Type", "application/xml")
	res.setBody(x.bytes())
}

func answer(status int) *response { return &response{status: status, header: http.Header{}} }

func answerXML(x *xmlWriter) *response {
	res := answer(http.StatusOK)
	res.setXML(x)
	return res
}

func (res *response) whole() ([]byte, error) {
	if res.body == nil {
		return nil, nil
	}
	return io.ReadAll(res.body)
}

var etagElement = regexp.MustCompile(`<ETag>[^<]*</ETag>`)

// replaceETags puts another ETag in the place of all, in the header and in the body.
func (res *response) replaceETags(header, element string) error {
	if res.header.Get("Etag") != "" {
		res.header.Set("Etag", header)
	}
	if header == "" {
		res.header.Del("Etag")
	}
	if res.header.Get("Content-Type") != "application/xml" {
		return nil
	}
	whole, err := res.whole()
	res.setBody(etagElement.ReplaceAll(whole, []byte(element)))
	return err
}
