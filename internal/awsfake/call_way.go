package awsfake

import (
	"maps"

	"syncd/internal/iam"
)

// way is a bucket, and the access point through which a request reaches it; nil for none.
type way struct {
	bucket *Bucket
	point  *AccessPoint
}

// resource is what policies call the bucket, or with a key an object in it, on this way.
func (w way) resource(key string) string {
	switch {
	case w.point == nil && key == "":
		return w.bucket.ARN()
	case w.point == nil:
		return objectARN(w.bucket.Name(), key)
	case key == "":
		return w.point.ARN()
	default:
		return w.point.ARN() + "/object/" + key
	}
}

// facts are the condition keys of the access point ("Configuring IAM policies for using access points", Amazon S3 User Guide).
func (w way) facts(context map[string][]string) map[string][]string {
	if w.point == nil {
		return context
	}
	facts := map[string][]string{
		"s3:DataAccessPointArn": {w.point.ARN()}, "s3:DataAccessPointAccount": {w.point.account.ID()}, "s3:AccessPointNetworkOrigin": {"Internet"},
	}
	maps.Copy(facts, context)
	return facts
}

// questions are what the caller has to be allowed: of the access point everything that it would otherwise be of the bucket, and of the
// bucket behind it what its policy has to say.
func (w way) questions(action, key string, context map[string][]string) []question {
	bucket := question{
		action: action, resource: way{bucket: w.bucket}.resource(key), account: w.bucket.account.ID(), kind: iam.Bucket,
		policy: w.bucket.currentPolicy(), context: w.facts(context), gateway: true,
	}
	if w.point == nil {
		return []question{bucket}
	}
	point := bucket
	point.resource, point.account, point.policy = w.resource(key), w.point.account.ID(), w.point.currentPolicy()
	bucket.behind = true
	return []question{point, bucket}
}
