package call

import (
	"crypto/cipher"

	"syncd/internal/awsfake/kms"
	"syncd/internal/awsfake/s3/store"
)

// GenerateDataKey generates a data key as the caller.
func (q *Request) GenerateDataKey(rule store.EncryptionRule, b *store.Bucket, key string) (store.Encryption, cipher.AEAD, error) {
	e, aead := q.Store.WrapNewKey(rule, b.Name(), key)
	if e.Key == nil {
		return e, aead, nil
	}
	if err := q.Store.Keys.UseKey(q.Request, e.Key, "kms:GenerateDataKey", s3Use(b.Region, e)); err != nil {
		return store.Encryption{}, nil, err
	}
	return e, aead, nil
}

// OpenDataKey decrypts the data key of an object as the caller.
func (q *Request) OpenDataKey(e store.Encryption, region string) (cipher.AEAD, error) {
	if e.Key != nil {
		if err := q.Store.Keys.UseKey(q.Request, e.Key, "kms:Decrypt", s3Use(region, e)); err != nil {
			return nil, err
		}
	}
	return q.Store.UnwrapKey(e)
}

func s3Use(region string, e store.Encryption) kms.Use {
	return kms.Use{Service: "s3", Region: region, Context: e.KMSContext()}
}
