package signature

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"

	"syncd/internal/awsfake/wire"
)

// Payload is the body of an upload. It is decoded and verified while it is read.
type Payload struct {
	io.Reader
	Size    int64       // decoded
	Trailer http.Header // has all trailers once the reader has returned io.EOF
}

// Payload returns a reader of the request's body. The payload hash of the signature determines how
// the body is encoded and verified.
func (m *Message) Payload(sig *Signature) (*Payload, error) {
	r, hash := m.HTTP, sig.payloadHash
	body := io.Reader(r.Body)
	if r.Body == nil {
		body = bytes.NewReader(nil)
	}
	streaming := strings.HasPrefix(hash, "STREAMING-")
	size := r.ContentLength
	if streaming {
		var err error
		if size, err = strconv.ParseInt(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 64); err != nil {
			size = -1
		}
	}
	if size < 0 {
		return nil, wire.Refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	p := &Payload{Size: size, Trailer: http.Header{}}
	switch {
	case !streaming && hash == unsignedPayload:
		p.Reader = body
	case !streaming:
		p.Reader = &digestReader{r: body, hash: sha256.New(), want: hash}
	case hash == streamingUnsigned:
		p.Reader = &chunkReader{r: bufio.NewReader(body), trailer: p.Trailer}
	case hash == streamingSigned || hash == streamingSignedTrail:
		p.Reader = &chunkReader{r: bufio.NewReader(body), trailer: p.Trailer, signer: newChunkSigner(m.Protocol, sig)}
	default:
		return nil, wire.ErrNotImplemented("x-amz-content-sha256: " + hash)
	}
	return p, nil
}

// digestReader compares the SHA-256 of a body with the signed one at the end of the body.
type digestReader struct {
	r    io.Reader
	hash hash.Hash
	want string
}

func (d *digestReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.hash.Write(p[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(d.hash.Sum(nil)) != d.want {
		return n, wire.Refuse(http.StatusBadRequest, "XAmzContentSHA256Mismatch",
			"The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}
