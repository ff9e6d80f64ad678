package awsfake

import "crypto/cipher"

// generateDataKey makes a data key as the caller.
func (q *s3Request) generateDataKey(rule encryptionRule, b *Bucket, key string) (encryption, cipher.AEAD, error) {
	e, aead := q.s3.wrapNewKey(rule, b.Name(), key)
	if e.key == nil {
		return e, aead, nil
	}
	if err := q.s3.keys.useKey(q.request, e.key, "kms:GenerateDataKey", s3Use(b.region, e)); err != nil {
		return encryption{}, nil, err
	}
	return e, aead, nil
}

// openDataKey opens the data key of an object as the caller.
func (q *s3Request) openDataKey(e encryption, region string) (cipher.AEAD, error) {
	if e.key != nil {
		if err := q.s3.keys.useKey(q.request, e.key, "kms:Decrypt", s3Use(region, e)); err != nil {
			return nil, err
		}
	}
	return q.s3.unwrapKey(e)
}

func s3Use(region string, e encryption) keyUse {
	return keyUse{service: "s3", region: region, context: map[string]string{arnContext: e.context}}
}
