package access_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/iam"
)

// pointWay has a source read through an access point.
type pointWay struct {
	account string // that owns the access point
	alias   bool
	unknown bool // the configuration does not name the bucket behind it
}

func (p pointWay) edit(text string, point *awsfake.AccessPoint) string {
	source := "bucket: " + point.ARN()
	if p.alias {
		source = "bucket: " + point.Alias() + "\n      access_point: " + point.ARN()
	}
	if !p.unknown {
		source += "\n      underlying_bucket: owner-data"
	}
	return strings.ReplaceAll(text, "bucket: owner-data", source)
}

// pointWays are the ways of sharing through an access point: the owner's, a third account's, the consumer's own.
func pointWays() map[string]way {
	return map[string]way{
		"of the owner by ARN":         {example: "share-role", point: &pointWay{account: owner}},
		"of another account by alias": {example: "share-role", point: &pointWay{account: governance, alias: true}},
		"of the consumer by ARN":      {example: "share-role", point: &pointWay{account: consumer}},
		"of a bucket that is not known": {
			example: "share-role", point: &pointWay{account: owner, unknown: true},
		},
		"let in as accounts": {example: "share-account", options: access.Options{Style: access.AccountStyle, OrgID: org}, point: &pointWay{account: owner}},
		"to a relay":         {example: "share-owner-role", options: access.Options{Principal: "arn:aws:iam::222222222222:user/task"}, point: &pointWay{account: governance}},
	}
}

// source is the bucket that is read.
func (x *world) source() *awsfake.Bucket { return x.buckets["owner-data"] }

// sourceClient reads a mapping's source. The ARN of an access point has no place in a path.
func sourceClient(t *testing.T, set *creds.Set, m config.Mapping) *s3.Client {
	t.Helper()
	c := client(t, set, m.Source.Role)
	if !strings.HasPrefix(m.Source.Bucket, "arn:") {
		return c
	}
	o := c.Options()
	o.UsePathStyle, o.BaseEndpoint = false, aws.String("https://localhost")
	return s3.New(o)
}

// bucketOf is the bucket that a policy is for, which a document about an access point may not know by its name.
func (x *world) bucketOf(d access.Document) *awsfake.Bucket {
	if strings.Contains(d.Target, "behind") {
		return x.source()
	}
	return x.buckets[d.Target]
}

// filled puts the bucket's name where a document has a placeholder, as its notes ask.
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
