package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/iam"
)

// TestFidelity compares the copy of every kind of object with its source in another account, copied
// server-side with one role and through the process with two roles.
func TestFidelity(t *testing.T) {
	skipIfShort(t)
	for _, relay := range []bool{false, true} {
		t.Run(map[bool]string{false: "server-side", true: "relay"}[relay], func(t *testing.T) {
			newFakeMatrix(t, relay).test(t)
		})
	}
}

const fidelityConfig = `state: "file:{dir}/state"
aws: {endpoint_url: "{endpoint}", path_style: true}
roles:
  consumer: {arn: "{role}", external_id: {external-id}}
  reader: {arn: "arn:aws:iam::{owner}:role/syncd-reader", external_id: {external-id}}
`

// The policies allow everything, except reads of the two kinds of the table that must be refused.
const (
	fidelityRole   = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"}]}`
	fidelityBucket = `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": {"AWS": "{role}"}, "Action": "s3:*", "Resource": ["arn:aws:s3:::{bucket}", "arn:aws:s3:::{bucket}/*"]},
  {"Effect": "Deny", "Principal": {"AWS": {readers}}, "Action": "s3:GetObjectTagging", "Resource": "arn:aws:s3:::{bucket}/tags that are denied"},
  {"Effect": "Deny", "Principal": {"AWS": {readers}}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{bucket}/object that is denied"}
]}`
)

// newFakeMatrix starts two accounts. In a server-side copy, the consumer's role reads and writes.
// In a relay, a role of the owner reads, and the consumer's role cannot use the owner's key.
func newFakeMatrix(t *testing.T, relay bool) *matrix {
	t.Helper()
	s := newSite(t, nil)
	s.Role.SetPolicies(iam.MustParse(fidelityRole))
	readers := `"` + s.Role.ARN + `"`
	sourceRole := "consumer"
	if relay {
		reader := s.Cloud.Account(demo.Owner).CreateRole("syncd-reader", demo.Document(demo.TrustPolicy, s.World), awsfake.RoleOptions{
			Policies: []*iam.Document{iam.MustParse(fidelityRole)},
		})
		s.Revoke()
		readers, sourceRole = `"`+reader.ARN+`"`, "reader"
	}
	m := &matrix{
		owner: s.clientOf(s.Owner), consumer: s.clientOf(s.Consumer), ownersKey: s.OwnerKey.ARN(), keyARN: s.ConsumerKey.ARN(),
		tellsBucketKey: true, relay: relay, laterKey: s.Cloud.Account(demo.Owner).CreateKey(demo.Region, s.GrantedPolicy), state: filepath.Join(s.dir, "state"),
		run: func(t *testing.T, args ...string) outcome { t.Helper(); return s.run(t.Context(), args...) },
	}
	m.create = func(_ *testing.T, in setting) *awsfake.Bucket { return s.createPair(in, readers) }
	text := s.Render(fidelityConfig, s.dir) + m.mappings(
		`account: "`+demo.Owner+`", role: `+sourceRole,
		`account: "`+demo.Consumer+`", role: consumer, kms_key: "`+m.keyARN+`"`)
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// createPair creates the two buckets of a setting. readers is a JSON value with the ARNs of the
// roles that may not read the two kinds of the table that must be refused.
func (s *site) createPair(in setting, readers string) *awsfake.Bucket {
	policy := strings.NewReplacer("{role}", s.Role.ARN, "{bucket}", in.sourceBucket(), "{readers}", readers).Replace(fidelityBucket)
	s.Cloud.Account(demo.Consumer).CreateBucket(in.destinationBucket(), demo.Region, awsfake.BucketOptions{
		KeyARN: s.ConsumerKey.ARN(), Versioning: in.versioned, ObjectLock: in.destinationLock,
	})
	return s.Cloud.Account(demo.Owner).CreateBucket(in.sourceBucket(), demo.Region, awsfake.BucketOptions{
		KeyARN: s.OwnerKey.ARN(), Versioning: in.versioned, ObjectLock: in.sourceLock, RequesterPays: in.requesterPays, Policy: iam.MustParse(policy),
	})
}

// clientOf returns a client of a user that sends only required checksums, like many programs.
func (s *site) clientOf(u *awsfake.User) *s3.Client {
	return s3.New(s3.Options{
		Region: demo.Region, BaseEndpoint: &s.Endpoint, UsePathStyle: true, RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		Credentials: credentials.NewStaticCredentialsProvider(u.AccessKeyID, u.SecretAccessKey, ""),
	})
}

// TestRequesterPaysUndeclared checks that the listing of an undeclared requester-pays bucket is
// refused and nothing is copied.
func TestRequesterPaysUndeclared(t *testing.T) {
	s := newSite(t, nil)
	s.Source.Put("a", awsfake.BytesBody([]byte("a")), awsfake.PutOptions{})
	s.Source.SetRequesterPays(true)
	got := s.run(t.Context(), "backfill", "--json")
	if got.code != 1 || !strings.Contains(got.stderr, "AccessDenied") {
		t.Errorf("got exit %d, stderr %q, want 1 with AccessDenied", got.code, got.stderr)
	}
	if keys := s.Destination.Keys(); len(keys) != 0 {
		t.Errorf("got copies %q, want none", keys)
	}
}
