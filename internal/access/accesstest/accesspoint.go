package accesstest

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/internal/access/policy"
	"syncd/internal/arn"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/iam"
)

// pointWay describes an access point in front of the source.
type pointWay struct {
	Account string // account that owns the access point
	alias   bool
	Unknown bool // the configuration does not name the bucket behind the access point
}

func (p pointWay) edit(text string, point *awsfake.AccessPoint) string {
	source := "bucket: " + point.ARN()
	if p.alias {
		source = "bucket: " + point.Alias() + "\n      access_point: " + point.ARN()
	}
	if !p.Unknown {
		source += "\n      underlying_bucket: owner-data"
	}
	return strings.ReplaceAll(text, "bucket: owner-data", source)
}

// PointWays returns the ways of sharing through an access point that belongs to the owner, to a
// third account, or to the consumer.
func PointWays() map[string]Way {
	return map[string]Way{
		"of the owner by ARN":         {Example: "share-role", Point: &pointWay{Account: Owner}},
		"of another account by alias": {Example: "share-role", Point: &pointWay{Account: Governance, alias: true}},
		"of the consumer by ARN":      {Example: "share-role", Point: &pointWay{Account: Consumer}},
		"of a bucket that is not known": {
			Example: "share-role", Point: &pointWay{Account: Owner, Unknown: true},
		},
		"let in as accounts": {Example: "share-account", Options: policy.Options{Style: policy.AccountStyle, OrgID: Org}, Point: &pointWay{Account: Owner}},
		"to a relay":         {Example: "share-owner-role", Options: policy.Options{Principal: "arn:aws:iam::222222222222:user/task"}, Point: &pointWay{Account: Governance}},
	}
}

// Source returns the source bucket.
func (x *World) Source() *awsfake.Bucket { return x.Buckets["owner-data"] }

// sourceClient returns a client for reading a mapping's source. A client for the ARN of an access
// point does not use path style, because S3 does not support it.
func sourceClient(t *testing.T, set *creds.Set, m config.Mapping) *s3.Client {
	t.Helper()
	c := Client(t, set, m.Source.Role)
	if !arn.Is(m.Source.Bucket) {
		return c
	}
	o := c.Options()
	o.UsePathStyle, o.BaseEndpoint = false, aws.String("https://localhost")
	return s3.New(o)
}

// bucketOf returns the bucket that a policy applies to. The policy of an unknown bucket behind an
// access point does not contain the bucket's name.
func (x *World) bucketOf(d policy.Document) *awsfake.Bucket {
	if strings.Contains(d.Target, "behind") {
		return x.Source()
	}
	return x.Buckets[d.Target]
}

// filled replaces the placeholder in a document with the bucket's name, as the notes of the
// document instruct.
func filled(t *testing.T, policy *iam.Document) *iam.Document {
	t.Helper()
	text, err := policy.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "REPLACE_WITH_BUCKET") {
		return policy
	}
	return iam.MustParse(strings.ReplaceAll(string(text), "REPLACE_WITH_BUCKET", "owner-data"))
}
