package object

import (
	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

func headObject(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	o, err := openForGet(q, b)
	if err != nil {
		return nil, err
	}
	if wantsChecksum(q) {
		if _, err := q.OpenDataKey(o.Crypt, b.Region); err != nil {
			return nil, err
		}
	}
	return objectAnswer(q, b, o)
}

func getObject(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	o, err := openForGet(q, b)
	if err != nil {
		return nil, err
	}
	if o.Archived(q.Cloud.Now()) {
		return nil, errArchived(o)
	}
	key, err := q.OpenDataKey(o.Crypt, b.Region)
	if err != nil {
		return nil, err
	}
	res, err := objectAnswer(q, b, o)
	if err != nil {
		return nil, err
	}
	from := int64(0)
	if r, ok := requestedRange(q, o); ok {
		from = r.From
	}
	res.Body = o.Content.Reader(key, from, res.Size)
	return res, nil
}

func openForGet(q *call.Request, b *store.Bucket) (*store.Object, error) {
	if q.HTTP.Header.Get("X-Amz-Server-Side-Encryption") != "" {
		return nil, wire.ErrInvalidArgument("x-amz-server-side-encryption header is not supported for this operation.")
	}
	o, err := q.Open(q.Target(b, "s3:GetObject"))
	if err != nil {
		return nil, err
	}
	if err := refuseSSEC(q, o); err != nil {
		return nil, err
	}
	return o, readConditions(q.HTTP.Header, "", o)
}
