package awsfake

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// segmentSize is how many plaintext bytes are sealed as one: a range read opens at most one segment
// more than it needs at either end.
const segmentSize = 64 << 10

const (
	dataKeySize   = 32 // AES-256, as S3 uses
	sealTagSize   = 16
	sealNonceSize = 12
)

var errSealBroken = errors.New("ciphertext does not open under this key and context")

// sealed is a run of bytes at rest: AES-256-GCM segments under the object's data key, each bound to
// its place by the nonce (8 random bytes of the run, 4 bytes of segment number).
type sealed struct {
	nonce [8]byte
	box   []byte
	size  int64
}

// sealer seals runs of bytes under one data key.
type sealer struct {
	key    cipher.AEAD
	crc    *crc64nvme
	random *random
}

// seal takes exactly size bytes from r; io.ErrUnexpectedEOF means that there were fewer.
func (s *sealer) seal(r io.Reader, size int64) (extent, error) {
	run := &sealed{size: size}
	copy(run.nonce[:], s.random.bytes(len(run.nonce)))
	run.box = make([]byte, 0, size+segments(size)*sealTagSize)
	buf := make([]byte, min(size, segmentSize))
	var crc uint64
	for n := range segments(size) {
		piece := buf[:min(segmentSize, size-n*segmentSize)]
		if _, err := io.ReadFull(r, piece); err != nil {
			return extent{}, unexpected(err)
		}
		crc = s.crc.update(crc, piece)
		run.box = s.key.Seal(run.box, run.nonceOf(n), piece, nil)
	}
	return extent{size: size, crc: crc, sealed: run}, nil
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
	binary.BigEndian.PutUint32(nonce[8:], uint32(segment)) // 5 GiB of 64 KiB segments stay far below 2^32
	return nonce
}

func segments(size int64) int64 { return (size + segmentSize - 1) / segmentSize }

// newAEAD is AES-256-GCM under a key of dataKeySize bytes.
func newAEAD(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(fmt.Sprintf("BUG: data key of %d bytes", len(key)))
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic("BUG: AES has 16-byte blocks")
	}
	return aead
}
