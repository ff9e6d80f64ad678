package kms

import (
	"net/http"

	"syncd/internal/awsfake/wire"
)

// maxDirectPlaintext is the maximum size for Encrypt (AWS KMS API Reference).
const maxDirectPlaintext = 4096

func (q *request) encryptDirect(k *Key, in *input) (any, error) {
	if n := len(in.Plaintext); n == 0 || n > maxDirectPlaintext {
		return nil, wire.Refuse(http.StatusBadRequest, "ValidationException",
			"1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length between 1 and %d", maxDirectPlaintext)
	}
	blob := k.Encrypt(in.Plaintext, in.EncryptionContext, q.Cloud.Random)
	return map[string]any{"CiphertextBlob": blob, "KeyId": k.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (q *request) decryptDirect(k *Key, in *input) (any, error) {
	plain, err := k.Decrypt(in.CiphertextBlob, in.EncryptionContext)
	if err != nil {
		return nil, wire.Refuse(http.StatusBadRequest, "InvalidCiphertextException", "")
	}
	return map[string]any{"Plaintext": plain, "KeyId": k.arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"}, nil
}

func (q *request) generateDataKeyDirect(k *Key, in *input) (any, error) {
	size := in.NumberOfBytes
	switch in.KeySpec {
	case "AES_256":
		size = 32
	case "AES_128":
		size = 16
	}
	if size < 1 || size > 1024 {
		return nil, wire.Refuse(http.StatusBadRequest, "ValidationException", "Please specify either number of bytes or key spec.")
	}
	plain := q.Cloud.Random.Bytes(size)
	return map[string]any{
		"CiphertextBlob": k.Encrypt(plain, in.EncryptionContext, q.Cloud.Random), "Plaintext": plain, "KeyId": k.arn,
	}, nil
}
