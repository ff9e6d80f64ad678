package awsfake

import (
	"encoding/base64"
	"encoding/xml"
	"hash"
	"net/http"
)

// readXML reads a request body into v and checks it against the checksum that came with it.
func (q *s3Request) readXML(v any) error {
	body, err := q.readBody()
	if err != nil {
		return err
	}
	if algorithm, want := sentChecksum(q.http.Header); want != "" {
		h := newHash(algorithm)
		h.Write(body)
		if _, err := compareChecksum(algorithm, want, h); err != nil {
			return err
		}
	}
	return parseXML(body, v)
}

func (q *s3Request) readBody() ([]byte, error) {
	p, err := q.payload()
	if err != nil {
		return nil, err
	}
	return readWhole(p)
}

// parseXML reads a document into v. Namespaces and unknown elements do not matter, as with S3.
func parseXML(body []byte, v any) error {
	if xml.Unmarshal(body, v) != nil {
		return errMalformedXML()
	}
	return nil
}

func errMalformedXML() *apiError {
	return refuse(http.StatusBadRequest, "MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema")
}

// compareChecksum checks the checksum that the client sent, which S3 keeps in the place of its own.
func compareChecksum(algorithm, want string, h hash.Hash) (checksum, error) {
	value := base64.StdEncoding.EncodeToString(h.Sum(nil))
	if want != value {
		return checksum{}, refuse(http.StatusBadRequest, "BadDigest", "The %s you specified did not match the calculated checksum.", algorithm)
	}
	return checksum{algorithm: algorithm, value: value}, nil
}
