package awsfake

func headObject(q *s3Request, b *Bucket) (*response, error) {
	o, err := openForGet(q, b)
	if err != nil {
		return nil, err
	}
	if wantsChecksum(q) {
		if _, err := q.openDataKey(o.crypt, b.region); err != nil {
			return nil, err
		}
	}
	return objectAnswer(q, b, o)
}

func getObject(q *s3Request, b *Bucket) (*response, error) {
	o, err := openForGet(q, b)
	if err != nil {
		return nil, err
	}
	if o.archived(q.cloud.now()) {
		return nil, errArchived(o)
	}
	key, err := q.openDataKey(o.crypt, b.region)
	if err != nil {
		return nil, err
	}
	res, err := objectAnswer(q, b, o)
	if err != nil {
		return nil, err
	}
	from := int64(0)
	if r, ok := requestedRange(q, o); ok {
		from = r.from
	}
	res.body = o.content.reader(key, from, res.size)
	return res, nil
}

func openForGet(q *s3Request, b *Bucket) (*object, error) {
	if q.http.Header.Get("X-Amz-Server-Side-Encryption") != "" {
		return nil, errInvalidArgument("x-amz-server-side-encryption header is not supported for this operation.")
	}
	o, err := q.open(q.target(b, "s3:GetObject"))
	if err != nil {
		return nil, err
	}
	if err := refuseSSEC(q, o); err != nil {
		return nil, err
	}
	return o, readConditions(q.http.Header, "", o)
}
