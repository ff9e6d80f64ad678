package awsfake

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
)

// payload is the body of an upload, decoded and verified while it is read.
type payload struct {
	io.Reader
	size    int64       // decoded
	trailer http.Header // complete once the reader has answered io.EOF
}

// payload opens the request's body in the form that its signature announced.
func (m *message) payload(sig *signature) (*payload, error) {
	r, hash := m.http, sig.payloadHash
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
		return nil, refuse(http.StatusLengthRequired, "MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	p := &payload{size: size, trailer: http.Header{}}
	switch {
	case !streaming && hash == unsignedPayload:
		p.Reader = body
	case !streaming:
		p.Reader = &digestReader{r: body, hash: sha256.New(), want: hash}
	case hash == streamingUnsigned:
		p.Reader = &chunkReader{r: bufio.NewReader(body), trailer: p.trailer}
	case hash == streamingSigned || hash == streamingSignedTrail:
		p.Reader = &chunkReader{r: bufio.NewReader(body), trailer: p.trailer, signer: newChunkSigner(m.protocol, sig)}
	default:
		return nil, errNotImplemented("x-amz-content-sha256: " + hash)
	}
	return p, nil
}

// digestReader compares the SHA-256 of a body with the signed one when it ends.
type digestReader struct {
	r    io.Reader
	hash hash.Hash
	want string
}

func (d *digestReader) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.hash.Write(p[:n])
	if errors.Is(err, io.EOF) && hex.EncodeToString(d.hash.Sum(nil)) != d.want {
		return n, refuse(http.StatusBadRequest, "XAmzContentSHA256Mismatch",
			"The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return n, err
}
