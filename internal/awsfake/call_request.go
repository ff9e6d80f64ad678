package awsfake

import (
	"net/http"
	"slices"
)

// s3Request is a request to S3.
type s3Request struct {
	*request
	s3    *s3Store
	point *AccessPoint // through which the bucket is reached; nil for none
}

// s3Operation serves one operation of the API on a bucket that exists, or with noBucket without one.
type s3Operation struct {
	serve     func(*s3Request, *Bucket) (*response, error)
	noBucket  bool
	anyRegion bool
	point     bool // access points have it
}

// admit refuses a request before anybody asks what it may do: at the wrong pace, or without saying that it pays.
func (q *s3Request) admit(b *Bucket) error {
	if err := q.throttle(b); err != nil {
		return err
	}
	return q.checkPayer(b)
}

// checkPayer refuses requests of other accounts on a bucket whose requesters pay, unless they say that they do.
func (q *s3Request) checkPayer(b *Bucket) error {
	if !b.settings().requester || q.caller.account == b.account {
		return nil
	}
	if q.http.Header.Get("X-Amz-Request-Payer") != "requester" {
		return restXML.accessDenied()
	}
	q.extra.Set("X-Amz-Request-Charged", "requester")
	return nil
}

// throttle refuses a request on a bucket that is beyond its rates.
func (q *s3Request) throttle(b *Bucket) error {
	key := q.key
	if key == "" {
		key = q.query.Get("prefix")
	}
	writes := !slices.Contains([]string{http.MethodGet, http.MethodHead}, q.http.Method)
	if b.rates.take(key, writes) {
		return nil
	}
	return restXML.throttled()
}

// findBucket looks a bucket up, by its name or an access point of it, and compares its owner with the expected one unless that is "".
func (q *s3Request) findBucket(name, owner string) (way, error) {
	b, p, err := q.s3.find(name)
	if err != nil {
		return way{}, err
	}
	if owner != "" && owner != b.account.ID() {
		return way{}, restXML.accessDenied()
	}
	return way{b, p}, nil
}
