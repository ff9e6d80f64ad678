package policy_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/access"
	"syncd/internal/access/accesstest"
	"syncd/internal/access/policy"
	"syncd/internal/awsfake"
	"syncd/internal/iam"
)

// TestGuardsOfTheState checks that the policy of the state's bucket denies requests without TLS,
// requests of other accounts and writes with another KMS key, and that it denies the keeper
// listings outside the state's prefix. The policy must not deny listings without a prefix, because
// S3 checks s3:ListBucket without a prefix before it reports that a record is missing.
func TestGuardsOfTheState(t *testing.T) {
	documents := policies(t, accesstest.WayOf(t, "share-role"), accesstest.ExternalID)
	at := slices.IndexFunc(documents, func(d policy.Document) bool { return d.Kind == access.KindBucket && d.Target == "consumer-state" })
	if at < 0 {
		t.Fatal("got no policy of the state's bucket, want one")
	}
	const sse, key = "s3:x-amz-server-side-encryption", "s3:x-amz-server-side-encryption-aws-kms-key-id"
	const record, bucket = "arn:aws:s3:::consumer-state/syncd/exports/lock", "arn:aws:s3:::consumer-state"
	keeper := iam.Caller{ARN: "arn:aws:sts::222222222222:assumed-role/syncd-consumer/s", RoleARN: "arn:aws:iam::222222222222:role/syncd-consumer", Account: accesstest.Consumer}
	admin := iam.Caller{ARN: "arn:aws:iam::222222222222:user/admin", Account: accesstest.Consumer}
	outsider := iam.Caller{ARN: "arn:aws:iam::444444444444:user/u", Account: "444444444444"}
	service := iam.Caller{Service: "logging.s3.amazonaws.com"}
	for _, tt := range []struct {
		name             string
		caller           iam.Caller
		action, resource string
		facts            map[string][]string
		denied           bool
	}{
		{"a record", keeper, "s3:PutObject", record, map[string][]string{sse: {"aws:kms"}, key: {accesstest.ExampleKey}}, false},
		{"a record under another key", keeper, "s3:PutObject", record, map[string][]string{sse: {"aws:kms"}, key: {accesstest.ExampleKey + "0"}}, true},
		{"a record without TLS", keeper, "s3:GetObject", record, map[string][]string{"aws:SecureTransport": {"false"}}, true},
		{"a listing without TLS", keeper, "s3:ListBucket", bucket, map[string][]string{"aws:SecureTransport": {"false"}, "s3:prefix": {"syncd/"}}, true},
		{"another account", outsider, "s3:GetObject", record, nil, true},
		{"a service of AWS", service, "s3:GetObject", record, nil, false},
		{"a listing of the state", keeper, "s3:ListBucket", bucket, map[string][]string{"s3:prefix": {"syncd/exports/"}}, false},
		{"a listing of other keys", keeper, "s3:ListBucket", bucket, map[string][]string{"s3:prefix": {"payroll/"}}, true},
		{"whether a record is absent", keeper, "s3:ListBucket", bucket, nil, false},
		{"a listing by somebody else", admin, "s3:ListBucket", bucket, map[string][]string{"s3:prefix": {"payroll/"}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := iam.Evaluate(iam.Request{
				Caller: tt.caller, Action: tt.action, Resource: tt.resource, Account: accesstest.Consumer, Context: maps.Clone(tt.facts),
			}, iam.Policies{Resource: documents[at].Policy(), Kind: iam.Bucket})
			if d.Explicit != tt.denied {
				t.Errorf("got an explicit deny %t, want %t", d.Explicit, tt.denied)
			}
		})
	}
}

// TestGuardsOfTheStateUnknownKeeper checks that the policy does not deny other accounts if the
// keeper is unknown, because the account of the ambient credentials is then unknown too.
func TestGuardsOfTheStateUnknownKeeper(t *testing.T) {
	for _, principal := range []string{"", "arn:aws:iam::222222222222:role/task"} {
		documents, err := policy.Documents(accesstest.Load(t, "chain"), policy.Options{Principal: principal, ExternalID: accesstest.ExternalID})
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(documents, func(d policy.Document) bool { return d.Kind == access.KindBucket && d.Target == "consumer-state" })
		text := documents[at].Policy().String()
		if got := strings.Contains(text, "DenyOtherAccounts"); got != (principal != "") {
			t.Errorf("principal %q: got other accounts denied %t, want %t", principal, got, principal != "")
		}
		if !strings.Contains(text, "DenyWithoutTLS") {
			t.Errorf("principal %q: got %s, want plain HTTP denied", principal, text)
		}
	}
}

func listAs(t *testing.T, x *accesstest.World, bucket, prefix string) error {
	t.Helper()
	_, err := accesstest.Client(t, x.Sessions(t, ""), "consumer").ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: aws.String(prefix)})
	return err
}

// TestPlainHTTPIsDenied checks that the policies deny requests without TLS, for a bucket and for
// its objects.
func TestPlainHTTPIsDenied(t *testing.T) {
	for _, plain := range []bool{false, true} {
		x := accesstest.NewWorldIn(t, awsfake.New(awsfake.Options{PlainHTTPInsecure: plain}), accesstest.WayOf(t, "share-role"), nil)
		for bucket, prefix := range map[string]string{"consumer-copy": "exports/", "consumer-state": "syncd/"} {
			err := listAs(t, x, bucket, prefix)
			if denied := err != nil && strings.Contains(err.Error(), "explicit deny in a resource-based policy"); denied != plain || !plain && err != nil {
				t.Errorf("plain HTTP counts %t: list %s: got %v", plain, bucket, err)
			}
		}
	}
}

// TestBucketsOfOtherAccountsAreOutOfReach checks that a role cannot access a bucket of an account
// other than the configured one, even if the bucket policy allows the role.
func TestBucketsOfOtherAccountsAreOutOfReach(t *testing.T) {
	for _, tt := range []struct {
		name string
		edit func(string) string
		want bool
	}{
		{"as configured", nil, true},
		{"another account", func(text string) string { return strings.ReplaceAll(text, accesstest.Owner, "444444444444") }, false},
	} {
		x := accesstest.NewWorld(t, accesstest.WayOf(t, "share-role"), tt.edit)
		if err := listAs(t, x, "owner-data", "exports/"); (err == nil) != tt.want {
			t.Errorf("%s: got %v, want it listed %t", tt.name, err, tt.want)
		}
	}
}

// TestStateListingsAreConfined checks that the keeper's session can list only the state in the
// state's bucket.
func TestStateListingsAreConfined(t *testing.T) {
	x := accesstest.NewWorld(t, accesstest.WayOf(t, "share-role"), nil)
	for prefix, want := range map[string]bool{"syncd/": true, "syncd/exports/": true, "payroll/": false} {
		if err := listAs(t, x, "consumer-state", prefix); (err == nil) != want {
			t.Errorf("list %q: got %v, want it listed %t", prefix, err, want)
		}
	}
	key := "syncd/absent"
	_, err := accesstest.Client(t, x.Sessions(t, ""), "consumer").GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-state"), Key: &key})
	if err == nil || !strings.Contains(err.Error(), "NoSuchKey") {
		t.Errorf("get a missing record: got %v, want NoSuchKey", err)
	}
}
