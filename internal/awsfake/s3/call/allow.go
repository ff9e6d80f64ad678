package call

import (
	"net/http"
	"strings"

	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// Allow authorises an S3 action on the bucket of the request, or on one of its objects if key is
// not "".
func (q *Request) Allow(b *store.Bucket, action, key string, context map[string][]string) error {
	return q.AllowOn(Way{b, q.Point}, action, key, context)
}

// AllowOn authorises an S3 action on a bucket, through an access point if w has one.
func (q *Request) AllowOn(w Way, action, key string, context map[string][]string) error {
	writer := w.Bucket.WriterOf(key)
	for _, x := range w.Questions(action, key, context) {
		if writer != "" && strings.HasPrefix(action, "s3:Get") {
			// A bucket policy applies only to objects that the bucket's owner owns ("Bucket
			// policies", Amazon S3 User Guide).
			x.Account, x.Policy = writer, nil
		}
		if err := q.allowQuestion(w, x); err != nil {
			return err
		}
	}
	return nil
}

func (q *Request) allowQuestion(w Way, x core.Question) error {
	d := q.Decide(x)
	if d.Allowed && q.restricted(w.Bucket, x.Policy) {
		d = iam.Decision{Action: x.Action, Source: iam.SourceResource, Explicit: true}
	}
	if d.Allowed {
		return nil
	}
	if !q.Near(x.Account) || d.Source == core.SourceEndpoint && q.Caller.Account.ID() != x.Account {
		return wire.RestXML.AccessDenied()
	}
	return wire.Refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: \"%s\" %s",
		q.Caller.Caller.ARN, x.Action, x.Resource, d.Reason())
}

// restricted reports whether RestrictPublicBuckets rejects the caller: it limits a bucket with a
// public policy to the bucket's own account.
func (q *Request) restricted(b *store.Bucket, policy *iam.Document) bool {
	return b.AccessBlock().RestrictPublicBuckets && q.Caller.Account != b.Account && Public(policy)
}

// AllowAnything authorises an S3 action without a bucket, within the caller's account.
func (q *Request) AllowAnything(action string) error {
	d := q.Decide(core.Question{Action: action, Resource: "*", Account: q.Caller.Account.ID(), Gateway: true})
	if d.Allowed {
		return nil
	}
	return wire.Refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s %s", q.Caller.Caller.ARN, action, d.Reason())
}
