package awsfake

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// maxChunkLine bounds a chunk's header line and a trailer line.
const maxChunkLine = 16 << 10

// payload is the body of an upload, decoded and verified while it is read.
type payload struct {
	io.Reader
	size    int64       // decoded
	trailer http.Header // complete once the reader has answered io.EOF
}

// payload opens the request's body in the form that its signature announced.
func (q *request) payload() (*payload, error) {
	r, hash := q.http, q.signature.payloadHash
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
		p.Reader = &chunkReader{r: bufio.NewReader(body), trailer: p.trailer, signer: newChunkSigner(q)}
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

// chunkReader decodes aws-chunked: "hex-size[;chunk-signature=...]\r\n bytes \r\n" until size 0, then
// trailers.
type chunkReader struct {
	r       *bufio.Reader
	left    int64 // of the chunk under way
	inside  bool
	signer  *chunkSigner
	trailer http.Header
	end     error
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if c.end != nil {
		return 0, c.end
	}
	if !c.inside {
		if c.end = c.begin(); c.end != nil {
			return 0, c.end
		}
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	c.signer.add(p[:n])
	if err == nil && c.left == 0 {
		c.inside = false
		if err = c.signer.verify(); err == nil {
			err = c.blankLine()
		}
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	c.end = err
	return n, err
}

// begin reads a chunk's header; io.EOF is the end of the body, trailers read.
func (c *chunkReader) begin() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, _ := strings.Cut(line, ";")
	c.left, err = strconv.ParseInt(size, 16, 64)
	if err != nil || c.left < 0 {
		return errMalformedChunk()
	}
	c.signer.begin(strings.TrimPrefix(extension, "chunk-signature="))
	if c.left > 0 {
		c.inside = true
		return nil
	}
	if err := c.signer.verify(); err != nil {
		return err
	}
	return c.trailers()
}

func (c *chunkReader) trailers() error {
	for {
		line, err := c.line()
		if err != nil || line == "" {
			if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF // some clients leave out the last empty line
			}
			return err
		}
		name, value, found := strings.Cut(line, ":")
		if !found {
			return errMalformedChunk()
		}
		c.trailer.Add(name, strings.TrimSpace(value))
	}
}

func (c *chunkReader) blankLine() error {
	line, err := c.line()
	if err == nil && line != "" {
		err = errMalformedChunk()
	}
	return err
}

func (c *chunkReader) line() (string, error) {
	var b []byte
	for {
		piece, err := c.r.ReadSlice('\n')
		b = append(b, piece...)
		if err == nil {
			return strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) || len(b) > maxChunkLine {
			return "", io.ErrUnexpectedEOF
		}
	}
}

func errMalformedChunk() error {
	return refuse(http.StatusBadRequest, "InvalidChunkSizeError", "The chunk framing of the request body is not valid")
}

// chunkSigner verifies chunk signatures, each of which covers the one before. A nil signer verifies nothing.
type chunkSigner struct {
	q        *request
	previous string
	want     string
	hash     hash.Hash
}

func newChunkSigner(q *request) *chunkSigner {
	return &chunkSigner{q: q, previous: q.signature.value, hash: sha256.New()}
}

func (s *chunkSigner) begin(want string) {
	if s != nil {
		s.want = want
		s.hash.Reset()
	}
}

func (s *chunkSigner) add(p []byte) {
	if s != nil {
		s.hash.Write(p)
	}
}

func (s *chunkSigner) verify() error {
	if s == nil {
		return nil
	}
	sig := s.q.signature
	empty := sha256.Sum256(nil)
	toSign := sigV4Algorithm + "-PAYLOAD\n" + sig.signedAt.Format(amzTime) + "\n" + sig.scope() + "\n" + s.previous + "\n" +
		hex.EncodeToString(empty[:]) + "\n" + hex.EncodeToString(s.hash.Sum(nil))
	got := hex.EncodeToString(sign(sig.key, toSign))
	if !hmac.Equal([]byte(got), []byte(s.want)) {
		return s.q.signatureMismatch()
	}
	s.previous = got
	return nil
}
