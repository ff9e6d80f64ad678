package object

import (
	"net/http"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

func putObject(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	d, err := ReadDraft(q, b)
	if err != nil {
		return nil, err
	}
	if err := AllowWrite(q, b, d, true); err != nil {
		return nil, err
	}
	if err := needsChecksum(d.Lock, q.HTTP.Header); err != nil {
		return nil, err
	}
	if err := b.Meets(q.Key, d.Conditions); err != nil {
		return nil, err
	}
	crypt, aead, err := q.GenerateDataKey(d.Rule, b, q.Key)
	if err != nil {
		return nil, err
	}
	got, err := Receive(q, aead)
	if err != nil {
		return nil, err
	}
	o := d.Object(q.Key, q.Cloud.Now(), crypt, got.Content, q.Store.CRC)
	o.Checksum = got.Checksum
	o.ETag = SingleETag(q, crypt, got.MD5)
	if err := b.Store(o, d.Conditions); err != nil {
		return nil, err
	}
	return written(b, o), nil
}

// written returns the response to PutObject.
func written(b *store.Bucket, o *store.Object) *wire.Response {
	res := wire.Answer(http.StatusOK)
	res.Header.Set("Etag", `"`+o.ETag+`"`)
	call.SetVersion(res.Header, b, o)
	call.SetEncryption(res.Header, o.Crypt)
	call.SetChecksum(res.Header, o.Checksum)
	return res
}
