package content

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"io"
)

// segmentSize is the number of plaintext bytes encrypted together. A range read decrypts at most
// one segment more than it needs at either end.
const segmentSize = 64 << 10

const (
	sealTagSize   = 16
	sealNonceSize = 12
)

var errSealBroken = errors.New("ciphertext does not open under this key and context")

// sealed is a sequence of encrypted bytes: AES-256-GCM segments with the object's data key. The
// nonce binds each segment to its position (8 random bytes for the sequence, 4 bytes for the
// segment number).
type sealed struct {
	nonce [8]byte
	box   []byte
	size  int64
}

// open returns the plaintext of one segment.
func (s *sealed) open(key cipher.AEAD, segment int64) ([]byte, error) {
	from := segment * (segmentSize + sealTagSize)
	to := min(from+segmentSize+sealTagSize, int64(len(s.box)))
	plain, err := key.Open(nil, s.nonceOf(segment), s.box[from:to], nil)
	if err != nil {
		return nil, errSealBroken
	}
	return plain, nil
}

func (s *sealed) nonceOf(segment int64) []byte {
	nonce := make([]byte, sealNonceSize)
	copy(nonce, s.nonce[:])
	binary.BigEndian.PutUint32(nonce[8:], uint32(segment)) // 5 GiB in 64 KiB segments is far below 2^32
	return nonce
}

func segments(size int64) int64 { return (size + segmentSize - 1) / segmentSize }

// unexpected converts io.EOF to io.ErrUnexpectedEOF.
func unexpected(err error) error {
	if err == io.EOF { //nolint:errorlint // io.ReadFull returns it unwrapped, and a wrapped one is a different error
		return io.ErrUnexpectedEOF
	}
	return err
}
