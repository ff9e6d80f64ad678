package kms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	"syncd/internal/awsfake/random"
)

// Sizes of AES-256-GCM as S3 uses it.
const (
	DataKeySize = 32
	nonceSize   = 12
)

var errBroken = errors.New("ciphertext does not open under this key and context")

// NewAEAD returns AES-256-GCM with a key of dataKeySize bytes.
func NewAEAD(key []byte) cipher.AEAD {
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

// Every ciphertext starts with blobVersion, followed by the ID of its key.
const (
	blobVersion = 1
	keyIDSize   = 36
)

// Encrypt returns a ciphertext that names its key and is bound to the encryption context.
func (k *Key) Encrypt(plain []byte, context map[string]string, r *random.Source) []byte {
	nonce := r.Bytes(nonceSize)
	blob := append([]byte{blobVersion}, k.id...)
	blob = append(blob, nonce...)
	return k.material.Seal(blob, nonce, plain, contextBytes(context))
}

// Decrypt decrypts a ciphertext from Encrypt with the same encryption context.
func (k *Key) Decrypt(blob []byte, context map[string]string) ([]byte, error) {
	const head = 1 + keyIDSize
	if len(blob) < head+nonceSize || blob[0] != blobVersion || !bytes.Equal(blob[1:head], []byte(k.id)) {
		return nil, errBroken
	}
	plain, err := k.material.Open(nil, blob[head:head+nonceSize], blob[head+nonceSize:], contextBytes(context))
	if err != nil {
		return nil, errBroken
	}
	return plain, nil
}

// contextBytes encodes an encryption context unambiguously.
func contextBytes(context map[string]string) []byte {
	var b []byte
	for _, k := range slices.Sorted(maps.Keys(context)) {
		for _, s := range []string{k, context[k]} {
			b = binary.BigEndian.AppendUint32(b, uint32(len(s))) // fits: contexts have <= 8 KiB
			b = append(b, s...)
		}
	}
	return b
}
