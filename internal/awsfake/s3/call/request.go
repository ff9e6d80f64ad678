// Package call is a request to S3 on a bucket: who may, on which way, under which keys, with which
// body.
//
// It promises that the bucket's policy, an access point's and the caller's are asked as S3 asks
// them, that data keys are made and opened as the caller, and that bodies are verified. What an
// operation does with that it leaves to the packages of the nouns.
//
// Words to know. A [Way] is a bucket and the access point through which it is reached; a [Reading]
// is a wish to read one object, of the bucket of the request or of the source of a copy.
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
	Point *store.AccessPoint // through which the bucket is reached; nil for none
}

// Operation serves one operation of the API on a bucket that exists, or with noBucket without one.
type Operation struct {
	Serve     func(*Request, *store.Bucket) (*wire.Response, error)
	NoBucket  bool
	AnyRegion bool
	Point     bool // access points have it
}

// Admit refuses a request before anybody asks what it may do: at the wrong pace, or without saying
// that it pays.
func (q *Request) Admit(b *store.Bucket) error {
	if err := q.throttle(b); err != nil {
		return err
	}
	return q.CheckPayer(b)
}

// CheckPayer refuses requests of other accounts on a bucket whose requesters pay, unless they say
// that they do.
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

// throttle refuses a request on a bucket that is beyond its rates.
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

// FindBucket looks a bucket up, by its name or an access point of it, and compares its owner with
// the expected one unless that is "".
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
