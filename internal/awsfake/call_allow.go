package awsfake

import (
	"net/http"
	"strings"

	"syncd/internal/iam"
)

// allow authorises an S3 action on the bucket of the request, or with a key on an object of it.
func (q *s3Request) allow(b *Bucket, action, key string, context map[string][]string) error {
	return q.allowOn(way{b, q.point}, action, key, context)
}

// allowOn authorises an S3 action on the way that a request takes to a bucket.
func (q *s3Request) allowOn(w way, action, key string, context map[string][]string) error {
	writer := w.bucket.writerOf(key)
	for _, x := range w.questions(action, key, context) {
		if writer != "" && strings.HasPrefix(action, "s3:Get") {
			// A bucket policy covers only objects that the bucket's owner owns ("Bucket policies", Amazon S3 User Guide).
			x.account, x.policy = writer, nil
		}
		if err := q.allowQuestion(w, x); err != nil {
			return err
		}
	}
	return nil
}

func (q *s3Request) allowQuestion(w way, x question) error {
	d := q.decide(x)
	if d.Allowed && q.restricted(w.bucket, x.policy) {
		d = iam.Decision{Action: x.action, Source: iam.SourceResource, Explicit: true}
	}
	if d.Allowed {
		return nil
	}
	if !q.near(x.account) || d.Source == sourceEndpoint && q.caller.account.ID() != x.account {
		return restXML.accessDenied()
	}
	return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s on resource: \"%s\" %s",
		q.caller.caller.ARN, x.action, x.resource, d.Reason())
}

// restricted reports whether RestrictPublicBuckets keeps the caller out: a bucket with a public policy
// is then its own account's.
func (q *s3Request) restricted(b *Bucket, policy *iam.Document) bool {
	return b.accessBlock().RestrictPublicBuckets && q.caller.account != b.account && public(policy)
}

// allowAnything authorises an S3 action that has no bucket yet, within the caller's account.
func (q *s3Request) allowAnything(action string) error {
	d := q.decide(question{action: action, resource: "*", account: q.caller.account.ID(), gateway: true})
	if d.Allowed {
		return nil
	}
	return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: %s %s", q.caller.caller.ARN, action, d.Reason())
}
