package signature

import (
	"bufio"
	"crypto/hmac"
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

// maxChunkLine limits the length of a chunk's header line and of a trailer line.
const maxChunkLine = 16 << 10

// chunkReader decodes aws-chunked: "hex-size[;chunk-signature=...]\r\n bytes \r\n" until size 0,
// then trailers.
type chunkReader struct {
	r       *bufio.Reader
	left    int64 // in the current chunk
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

// begin reads a chunk's header. It returns io.EOF at the end of the body, after the trailers.
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
				err = io.EOF // some clients omit the last empty line
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
	return wire.Refuse(http.StatusBadRequest, "InvalidChunkSizeError", "The chunk framing of the request body is not valid")
}

// chunkSigner verifies chunk signatures. Each signature also covers the previous one. A nil signer
// accepts every chunk.
type chunkSigner struct {
	protocol wire.Protocol
	sig      *Signature
	previous string
	want     string
	hash     hash.Hash
}

func newChunkSigner(p wire.Protocol, sig *Signature) *chunkSigner {
	return &chunkSigner{protocol: p, sig: sig, previous: sig.value, hash: sha256.New()}
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
	sig := s.sig
	empty := sha256.Sum256(nil)
	toSign := sigV4Algorithm + "-PAYLOAD\n" + sig.signedAt.Format(amzTime) + "\n" + sig.scope() + "\n" + s.previous + "\n" +
		hex.EncodeToString(empty[:]) + "\n" + hex.EncodeToString(s.hash.Sum(nil))
	got := hex.EncodeToString(sign(sig.key, toSign))
	if !hmac.Equal([]byte(got), []byte(s.want)) {
		return s.protocol.SignatureMismatch()
	}
	s.previous = got
	return nil
}
