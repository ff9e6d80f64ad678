package awsfake

import (

	// Content-MD5 and ETags are MD5 by contract

	"net/http"
)

func putObject(q *s3Request, b *Bucket) (*response, error) {
	d, err := readDraft(q, b)
	if err != nil {
		return nil, err
	}
	if err := allowWrite(q, b, d, true); err != nil {
		return nil, err
	}
	if err := needsChecksum(d.lock, q.http.Header); err != nil {
		return nil, err
	}
	if err := b.meets(q.key, d.conditions); err != nil {
		return nil, err
	}
	crypt, aead, err := q.generateDataKey(d.rule, b, q.key)
	if err != nil {
		return nil, err
	}
	got, err := receive(q, aead)
	if err != nil {
		return nil, err
	}
	o := d.object(q.key, q.cloud.now(), crypt, got.content, q.s3.crc)
	o.checksum = got.checksum
	o.etag = singleETag(q, crypt, got.md5)
	if err := b.store(o, d.conditions); err != nil {
		return nil, err
	}
	return written(q, b, o), nil
}

// written is the answer to a PutObject.
func written(q *s3Request, b *Bucket, o *object) *response {
	res := answer(http.StatusOK)
	res.header.Set("Etag", `"`+o.etag+`"`)
	setVersion(res.header, b, o)
	setEncryption(res.header, o.crypt)
	setChecksum(res.header, o.checksum)
	return res
}
