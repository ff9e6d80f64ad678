package awsfaketest

import (
	"io"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

// SessionRefused is the start of the error message for a request that is denied to a session of the
// role of a [World].
const SessionRefused = "User: arn:aws:sts::222222222222:assumed-role/syncd/test is not authorized to perform: "

// CopyKey returns the input to copy a key from the owner's bucket to the consumer's.
func CopyKey(key string) *s3.CopyObjectInput {
	return &s3.CopyObjectInput{Bucket: aws.String("consumer-copy"), Key: &key, CopySource: aws.String("owner-data/" + key)}
}

// AllowBut returns a policy that allows all actions except one.
func AllowBut(action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"` + action + `","Resource":"*"}]}`)
}

// ExceptIn returns a policy that allows everything except one action on the objects of a bucket.
func ExceptIn(bucket, action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
		{"Effect":"Deny","Action":"` + action + `","Resource":"arn:aws:s3:::` + bucket + `/*"}]}`)
}

// BodyOf reads a whole body.
func BodyOf(tb testing.TB, r io.ReadCloser) string {
	tb.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		tb.Fatal(err)
	}
	return string(b)
}

// ListAll reads all pages of a listing. It returns the decoded keys and common prefixes in listing
// order.
func ListAll(tb testing.TB, client *s3.Client, in *s3.ListObjectsV2Input) (keys, prefixes []string) {
	tb.Helper()
	in.EncodingType = types.EncodingTypeUrl
	for p := s3.NewListObjectsV2Paginator(client, in); p.HasMorePages(); {
		page, err := p.NextPage(tb.Context())
		if err != nil {
			tb.Fatal(err)
		}
		if got := int(aws.ToInt32(page.KeyCount)); got != len(page.Contents)+len(page.CommonPrefixes) || in.MaxKeys != nil && got > int(*in.MaxKeys) {
			tb.Errorf("KeyCount %d for %d keys and %d prefixes", got, len(page.Contents), len(page.CommonPrefixes))
		}
		for _, o := range page.Contents {
			keys = append(keys, Unescape(tb, *o.Key))
		}
		for _, o := range page.CommonPrefixes {
			prefixes = append(prefixes, Unescape(tb, *o.Prefix))
		}
	}
	return keys, prefixes
}

// Unescape decodes a URL-encoded key or prefix of a listing.
func Unescape(tb testing.TB, s string) string {
	tb.Helper()
	out, err := url.QueryUnescape(s)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

// AssumeAs assumes a role.
func AssumeAs(tb testing.TB, c aws.Config, role *awsfake.Role) error {
	tb.Helper()
	_, err := sts.NewFromConfig(c).AssumeRole(tb.Context(), &sts.AssumeRoleInput{RoleArn: &role.ARN, RoleSessionName: aws.String("test")})
	return err
}
