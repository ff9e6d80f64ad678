package call

import (
	"maps"

	"syncd/internal/arn"
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/iam"
)

// Way is a bucket, and the access point through which a request reaches it; nil for none.
type Way struct {
	Bucket *store.Bucket
	Point  *store.AccessPoint
}

// resource returns the ARN that policies use for the bucket reached in this way, or for one of its
// objects if key is not "".
func (w Way) resource(key string) string {
	on := w.Bucket.ARN()
	if w.Point != nil {
		on = w.Point.ARN()
	}
	if key == "" {
		return on
	}
	return arn.Object(on, key)
}

// facts returns the condition keys of the access point ("Configuring IAM policies for using access
// points", Amazon S3 User Guide).
func (w Way) facts(context map[string][]string) map[string][]string {
	if w.Point == nil {
		return context
	}
	facts := map[string][]string{
		"s3:DataAccessPointArn": {w.Point.ARN()}, "s3:DataAccessPointAccount": {w.Point.Account.ID()}, "s3:AccessPointNetworkOrigin": {"Internet"},
	}
	maps.Copy(facts, context)
	return facts
}

// Questions returns the decisions that an action requires. Without an access point there is one
// decision, by the bucket policy and the caller's policies. With an access point there are two: the
// first is by the policy of the access point and the caller's policies, the second by the bucket
// policy. Both must allow the action.
func (w Way) Questions(action, key string, context map[string][]string) []core.Question {
	bucket := core.Question{
		Action: action, Resource: Way{Bucket: w.Bucket}.resource(key), Account: w.Bucket.Account.ID(), Kind: iam.Bucket,
		Policy: w.Bucket.CurrentPolicy(), Context: w.facts(context), Gateway: true,
	}
	if w.Point == nil {
		return []core.Question{bucket}
	}
	point := bucket
	point.Resource, point.Account, point.Policy = w.resource(key), w.Point.Account.ID(), w.Point.CurrentPolicy()
	bucket.Behind = true
	return []core.Question{point, bucket}
}
