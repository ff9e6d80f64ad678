package call

import (
	"encoding/base64"
	"encoding/xml"
	"hash"
	"net/http"

	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/wire"
)

// ReadXML decodes a request body into v and verifies its checksum.
func (q *Request) ReadXML(v any) error {
	body, err := q.ReadBody()
	if err != nil {
		return err
	}
	if algorithm, want := content.SentChecksum(q.HTTP.Header); want != "" {
		h := content.NewHash(algorithm)
		h.Write(body)
		if _, err := CompareChecksum(algorithm, want, h); err != nil {
			return err
		}
	}
	return ParseXML(body, v)
}

// ReadBody reads and verifies a short body.
func (q *Request) ReadBody() ([]byte, error) {
	p, err := q.Payload()
	if err != nil {
		return nil, err
	}
	return wire.ReadWhole(p)
}

// ParseXML decodes a document into v. Like S3, it ignores namespaces and unknown elements.
func ParseXML(body []byte, v any) error {
	if xml.Unmarshal(body, v) != nil {
		return ErrMalformedXML()
	}
	return nil
}

// ErrMalformedXML returns the error for a body that is not the document that the operation expects.
func ErrMalformedXML() *wire.Error {
	return wire.Refuse(http.StatusBadRequest, "MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema")
}

// CompareChecksum verifies the checksum that the client sent. S3 stores it instead of computing its
// own.
func CompareChecksum(algorithm, want string, h hash.Hash) (content.Checksum, error) {
	value := base64.StdEncoding.EncodeToString(h.Sum(nil))
	if want != value {
		return content.Checksum{}, wire.Refuse(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", algorithm)
	}
	return content.Checksum{Algorithm: algorithm, Value: value}, nil
}
