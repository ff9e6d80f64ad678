// Package call contains what S3 operations share about a request: authorisation, access points,
// data keys and bodies.
//
// It evaluates the policies of the bucket, the access point and the caller as S3 does, generates
// and decrypts data keys as the caller, and verifies bodies. The operations are in the packages
// setting, listing, object and upload.
//
// Terms: a [Way] is a bucket and the access point that a request uses to reach it. A [Reading]
// describes a read of one object, in the request's bucket or as the source of a copy.
package call

import (
	"net/http"
	"slices"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
)

// Request is a request to S3.
type Request struct {
	*core.Request
	Store *store.Store
	Point *store.AccessPoint // used to reach the bucket; nil for none
}

// Operation serves one operation on a bucket. If NoBucket is true, the bucket need not exist.
type Operation struct {
	Serve     func(*Request, *store.Bucket) (*wire.Response, error)
	NoBucket  bool
	AnyRegion bool
	Point     bool // access points support it
}

// Admit checks a request before authorisation. It rejects requests above the rate limit, and
// requests without x-amz-request-payer that need it.
func (q *Request) Admit(b *store.Bucket) error {
	if err := q.throttle(b); err != nil {
		return err
	}
	return q.CheckPayer(b)
}

// CheckPayer rejects requests from other accounts on a requester-pays bucket, unless they have the
// header x-amz-request-payer.
func (q *Request) CheckPayer(b *store.Bucket) error {
	if !b.Settings().Requester || q.Caller.Account == b.Account {
		return nil
	}
	if q.HTTP.Header.Get("X-Amz-Request-Payer") != "requester" {
		return wire.RestXML.AccessDenied()
	}
	q.Promise("X-Amz-Request-Charged", "requester")
	return nil
}

// throttle rejects a request above the bucket's rates.
func (q *Request) throttle(b *store.Bucket) error {
	key := q.Key
	if key == "" {
		key = q.Query.Get("prefix")
	}
	writes := !slices.Contains([]string{http.MethodGet, http.MethodHead}, q.HTTP.Method)
	if b.Admit(key, writes) {
		return nil
	}
	return wire.RestXML.Throttled()
}

// FindBucket finds a bucket by its name or by one of its access points. Unless owner is "", the
// bucket must belong to that account.
func (q *Request) FindBucket(name, owner string) (Way, error) {
	b, p, err := q.Store.Find(name)
	if err != nil {
		return Way{}, err
	}
	if owner != "" && owner != b.Account.ID() {
		return Way{}, wire.RestXML.AccessDenied()
	}
	return Way{b, p}, nil
}
