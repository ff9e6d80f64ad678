package wire

import (
	"io"
	"net/http"
)

// maxControlBody limits bodies that are read into memory: forms, JSON and XML. The largest is the
// part list of CompleteMultipartUpload, 10,000 parts with a checksum each.
const maxControlBody = 8 << 20

// ReadWhole reads a whole body of at most maxControlBody bytes.
func ReadWhole(r io.Reader) ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(r, maxControlBody+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxControlBody {
		return nil, Refuse(http.StatusBadRequest, "MaxMessageLengthExceeded", "Your request was too large.")
	}
	return b, nil
}
