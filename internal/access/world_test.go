package access_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/config/secret"
	"syncd/internal/access"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/iam"
)

const (
	region     = "us-west-2"
	owner      = "111111111111"
	consumer   = "222222222222"
	governance = "333333333333"
	org        = "o-a1b2c3d4e5"
	endpoint   = "vpce-0a1b2c3d4e5f67890"
	exampleKey = "arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
)

// way is one way of sharing a bucket: an example of a configuration, and the options with which its documents are made.
type way struct {
	example string
	options access.Options
	point   *pointWay // nil: the bucket itself is the source
}

func ways() []way {
	return []way{
		{example: "share-owner-role", options: access.Options{Principal: "arn:aws:iam::222222222222:user/task"}},
		{example: "share-account", options: access.Options{Style: access.AccountStyle}},
		{example: "share-role"},
		{example: "share-org", options: access.Options{Style: access.AccountStyle, OrgID: org}},
		{example: "share-abac", options: access.Options{Style: access.ABACStyle, OrgID: org, VPCEndpoint: endpoint}},
	}
}

// externalID is the ExternalId of every role that has one.
func externalID(string) (string, error) { return "the-external-id", nil }

func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../config/examples", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text), "test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func load(t *testing.T, name string) *config.Config {
	t.Helper()
	return parse(t, example(t, name))
}

// world is accounts in which nothing is allowed but what the documents say.
type world struct {
	cloud             *awsfake.Cloud
	config            *config.Config
	documents         []access.Document
	door              http.RoundTripper
	user              *awsfake.User // the ambient credentials
	roles             map[string]*awsfake.Role
	buckets           map[string]*awsfake.Bucket
	point             *awsfake.AccessPoint // nil: the bucket itself is the source
	ownerKey, copyKey *awsfake.Key
	runs              int
}

// newWorld builds the accounts of an example, edited before it is read, and puts its documents in force.
func newWorld(t *testing.T, w way, edit func(string) string) *world {
	t.Helper()
	return newWorldIn(t, awsfake.New(awsfake.Options{}), w, edit)
}

func newWorldIn(t *testing.T, cloud *awsfake.Cloud, w way, edit func(string) string) *world {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	for _, id := range []string{owner, consumer, governance} {
		cloud.Account(id).SetOrg(org)
	}
	ow, co := cloud.Account(owner), cloud.Account(consumer)
	x := &world{
		cloud: cloud, door: cloud.RoundTripper(), user: co.CreateUser("task"), roles: map[string]*awsfake.Role{}, buckets: map[string]*awsfake.Bucket{},
	}
	if w.options.VPCEndpoint != "" {
		x.door = cloud.Endpoint(w.options.VPCEndpoint, "vpc-1", nil)
	}
	x.ownerKey, x.copyKey = ow.CreateKey(region, nil), co.CreateKey(region, nil)
	text := strings.ReplaceAll(example(t, w.example), exampleKey, x.copyKey.ARN())
	x.buckets["owner-data"] = ow.CreateBucket("owner-data", region, awsfake.BucketOptions{KeyARN: x.ownerKey.ARN(), Versioning: true, ObjectLock: true})
	if w.point != nil {
		x.point = cloud.Account(w.point.account).CreateAccessPoint("partner", x.buckets["owner-data"], nil)
		text = w.point.edit(text, x.point)
	}
	if edit != nil {
		text = edit(text)
	}
	x.config = parse(t, text)
	x.buckets["consumer-copy"] = co.CreateBucket("consumer-copy", region, awsfake.BucketOptions{KeyARN: x.copyKey.ARN(), Versioning: true, ObjectLock: true})
	x.buckets["consumer-state"] = co.CreateBucket("consumer-state", region, awsfake.BucketOptions{})
	nobody := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`)
	for _, role := range x.config.Roles {
		account, roleName := strings.Split(role.ARN, ":")[4], role.ARN[strings.LastIndex(role.ARN, "/")+1:]
		x.roles[role.ARN] = cloud.Account(account).CreateRole(roleName, nobody, awsfake.RoleOptions{})
	}
	o := w.options
	o.ExternalID, o.SourceKeys = externalID, []string{x.ownerKey.ARN()}
	documents, err := access.Policies(x.config, o)
	if err != nil {
		t.Fatal(err)
	}
	x.documents = documents
	x.enforce(t, documents)
	return x
}

// administrators is what a key policy has beside the generated statements: nothing that lets anyone use the key.
func administrators(account string) iam.Statement {
	return iam.Statement{
		Effect: iam.Allow, Principals: []iam.Principal{{Kind: iam.AWSPrincipal, ID: account}},
		Actions: []string{"kms:Describe*", "kms:Get*", "kms:Put*"}, Resources: []string{"*"},
	}
}

// enforce puts documents in force, and nothing else.
func (x *world) enforce(t *testing.T, documents []access.Document) {
	t.Helper()
	for _, d := range documents {
		policy := d.Policy()
		switch d.Kind {
		case access.KindIdentity:
			if role := x.roles[d.Target]; role != nil {
				role.SetPolicies(policy)
			} else {
				x.user.SetPolicies(policy)
			}
		case access.KindTrust:
			x.roles[d.Target].SetTrust(policy)
		case access.KindAccessPoint:
			x.point.SetPolicy(policy)
		case access.KindBucket:
			x.bucketOf(d).SetPolicy(filled(t, policy))
		case access.KindKey:
			key := x.copyKey
			if d.Account == owner {
				key = x.ownerKey
			}
			key.SetPolicy(&iam.Document{Version: iam.Version2012, Statements: append([]iam.Statement{administrators(d.Account)}, policy.Statements...)})
		case access.KindLifecycle, access.KindQueue, access.KindSession, access.KindServiceControl, access.KindResourceControl:
		default:
			t.Fatalf("got a document of kind %q", d.Kind)
		}
	}
}

// sessions are fresh credentials: no session of an earlier run is used again.
func (x *world) sessions(t *testing.T, sessionName string) *creds.Set {
	t.Helper()
	return x.editedSessions(t, func(_ string, role *config.Role) {
		if sessionName != "" {
			role.SessionName = sessionName
		}
	})
}

// editedSessions are fresh credentials of roles that are asked for otherwise than the configuration has it.
func (x *world) editedSessions(t *testing.T, edit func(name string, role *config.Role)) *creds.Set {
	t.Helper()
	roles := map[string]config.Role{}
	for name, role := range x.config.Roles {
		if role.ExternalID.Sent() {
			role.ExternalID = secret.PlainExternalID("the-external-id")
		}
		role.Tags = maps.Clone(role.Tags)
		edit(name, &role)
		roles[name] = role
	}
	set, err := creds.New(t.Context(), creds.Options{
		Roles: roles, EndpointURL: "http://aws.invalid", AllowHTTP: true, HTTPClient: &http.Client{Transport: x.door},
		Ambient:   credentials.NewStaticCredentialsProvider(x.user.AccessKeyID, x.user.SecretAccessKey, ""),
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile,
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func client(t *testing.T, set *creds.Set, role string) *s3.Client {
	t.Helper()
	c, err := set.Config(role, region)
	if err != nil {
		t.Fatal(err)
	}
	return s3.NewFromConfig(c, func(o *s3.Options) {
		o.UsePathStyle, o.BaseEndpoint, o.DisableLogOutputChecksumValidationSkipped = true, aws.String("http://aws.invalid"), true
	})
}

// step is one thing that syncd does.
type step struct {
	name string
	do   func(ctx context.Context) error
}

// firstFailure does the steps in turn and returns the failure of the first that fails.
func firstFailure(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
