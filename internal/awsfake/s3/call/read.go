package call

import (
	"encoding/base64"
	"encoding/xml"
	"hash"
	"net/http"

	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/wire"
)

// ReadXML reads a request body into v and checks it against the checksum that came with it.
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

// ReadBody reads a short body whole, and verifies it.
func (q *Request) ReadBody() ([]byte, error) {
	p, err := q.Payload()
	if err != nil {
		return nil, err
	}
	return wire.ReadWhole(p)
}

// ParseXML reads a document into v. Namespaces and unknown elements do not matter, as with S3.
func ParseXML(body []byte, v any) error {
	if xml.Unmarshal(body, v) != nil {
		return ErrMalformedXML()
	}
	return nil
}

// ErrMalformedXML is the refusal of a body that is not the document that the operation takes.
func ErrMalformedXML() *wire.Error {
	return wire.Refuse(http.StatusBadRequest, "MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema")
}

// CompareChecksum checks the checksum that the client sent, which S3 keeps in the place of its own.
func CompareChecksum(algorithm, want string, h hash.Hash) (content.Checksum, error) {
	value := base64.StdEncoding.EncodeToString(h.Sum(nil))
	if want != value {
		return content.Checksum{}, wire.Refuse(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", algorithm)
	}
	return content.Checksum{Algorithm: algorithm, Value: value}, nil
}
