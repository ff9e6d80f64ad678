// Package accesstest contains code that the tests of access and its subpackages share.
//
// [NewWorld] creates accounts, with package awsfake, that allow only what the documents of a
// configuration allow. [World.Steps] returns every action of syncd for the mappings and the state.
// [Losses] returns variants of a policy that lack one member of a list. The tests define what must
// succeed and what must fail.
//
// Terms: a way of sharing is an example configuration together with the options for its documents.
// A world is the set of accounts for one way of sharing.
package accesstest

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
	"syncd/internal/access/policy"
	"syncd/internal/arn"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/iam"
)

// Names from the example configurations.
const (
	Region     = "us-west-2"
	Owner      = "111111111111"
	Consumer   = "222222222222"
	Governance = "333333333333"
	Org        = "o-a1b2c3d4e5"
	Endpoint   = "vpce-0a1b2c3d4e5f67890"
	ExampleKey = "arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
)

// Way is a way of sharing a bucket: the name of an example configuration, and the options for its
// documents.
type Way struct {
	Example string
	Options policy.Options
	Point   *pointWay // nil if the source is the bucket itself
}

// Ways returns the ways of sharing a bucket.
func Ways() []Way {
	return []Way{
		{Example: "share-owner-role", Options: policy.Options{Principal: "arn:aws:iam::222222222222:user/task"}},
		{Example: "share-account", Options: policy.Options{Style: policy.AccountStyle}},
		{Example: "share-role"},
		{Example: "share-org", Options: policy.Options{Style: policy.AccountStyle, OrgID: Org}},
		{Example: "share-abac", Options: policy.Options{Style: policy.ABACStyle, OrgID: Org, VPCEndpoint: Endpoint}},
	}
}

// WayOf returns the Way with the given example configuration.
func WayOf(t *testing.T, example string) Way {
	t.Helper()
	for _, w := range Ways() {
		if w.Example == example {
			return w
		}
	}
	t.Fatalf("find the way %s: there is none", example)
	return Way{}
}

// ExternalID returns the same ExternalId for every role, for use as policy.Options.ExternalID.
func ExternalID(string) (string, error) { return "the-external-id", nil }

// root returns the root directory of the repository.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir != filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
	t.Fatal("find the root directory of the repository: no go.mod above the test")
	return ""
}

// Example returns the text of an example configuration.
func Example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "config/examples", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Parse parses the text of a configuration.
func Parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse([]byte(text), "test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Load reads an example configuration.
func Load(t *testing.T, name string) *config.Config {
	t.Helper()
	return Parse(t, Example(t, name))
}

// World is a set of accounts that allow only what the documents of a configuration allow.
type World struct {
	Cloud             *awsfake.Cloud
	Config            *config.Config
	Documents         []policy.Document
	Transport         http.RoundTripper
	User              *awsfake.User // the user that has the ambient credentials
	Roles             map[string]*awsfake.Role
	Buckets           map[string]*awsfake.Bucket
	Point             *awsfake.AccessPoint // nil if the source is the bucket itself
	OwnerKey, CopyKey *awsfake.Key
	runs              int
}

// NewWorld creates the accounts of an example configuration and puts its documents in force. If
// edit is not nil, NewWorld uses the configuration that edit returns for the text of the example.
func NewWorld(t *testing.T, w Way, edit func(string) string) *World {
	t.Helper()
	return NewWorldIn(t, awsfake.New(awsfake.Options{}), w, edit)
}

// NewWorldIn is like [NewWorld], but uses existing accounts.
func NewWorldIn(t *testing.T, cloud *awsfake.Cloud, w Way, edit func(string) string) *World {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	for _, id := range []string{Owner, Consumer, Governance} {
		cloud.Account(id).SetOrg(Org)
	}
	ow, co := cloud.Account(Owner), cloud.Account(Consumer)
	x := &World{
		Cloud: cloud, Transport: cloud.RoundTripper(), User: co.CreateUser("task"), Roles: map[string]*awsfake.Role{}, Buckets: map[string]*awsfake.Bucket{},
	}
	if w.Options.VPCEndpoint != "" {
		x.Transport = cloud.Endpoint(w.Options.VPCEndpoint, "vpc-1", nil)
	}
	x.OwnerKey, x.CopyKey = ow.CreateKey(Region, nil), co.CreateKey(Region, nil)
	text := strings.ReplaceAll(Example(t, w.Example), ExampleKey, x.CopyKey.ARN())
	x.Buckets["owner-data"] = ow.CreateBucket("owner-data", Region, awsfake.BucketOptions{KeyARN: x.OwnerKey.ARN(), Versioning: true, ObjectLock: true})
	if w.Point != nil {
		x.Point = cloud.Account(w.Point.Account).CreateAccessPoint("partner", x.Buckets["owner-data"], nil)
		text = w.Point.edit(text, x.Point)
	}
	if edit != nil {
		text = edit(text)
	}
	x.Config = Parse(t, text)
	x.Buckets["consumer-copy"] = co.CreateBucket("consumer-copy", Region, awsfake.BucketOptions{KeyARN: x.CopyKey.ARN(), Versioning: true, ObjectLock: true})
	x.Buckets["consumer-state"] = co.CreateBucket("consumer-state", Region, awsfake.BucketOptions{})
	nobody := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`)
	for _, role := range x.Config.Roles {
		x.Roles[role.ARN] = cloud.Account(role.Account()).CreateRole(arn.Name(role.ARN), nobody, awsfake.RoleOptions{})
	}
	o := w.Options
	o.ExternalID, o.SourceKeys = ExternalID, []string{x.OwnerKey.ARN()}
	documents, err := policy.Documents(x.Config, o)
	if err != nil {
		t.Fatal(err)
	}
	x.Documents = documents
	x.Enforce(t, documents)
	return x
}

// administrators returns a key policy statement that allows administering the key but not using it.
func administrators(account string) iam.Statement {
	return iam.Statement{
		Effect: iam.Allow, Principals: []iam.Principal{{Kind: iam.AWSPrincipal, ID: account}},
		Actions: []string{"kms:Describe*", "kms:Get*", "kms:Put*"}, Resources: []string{"*"},
	}
}

// Enforce puts the documents in force. They replace the policies of the roles and resources that
// they apply to; all other policies remain.
func (x *World) Enforce(t *testing.T, documents []policy.Document) {
	t.Helper()
	for _, d := range documents {
		policy := d.Policy()
		switch d.Kind {
		case access.KindIdentity:
			if role := x.Roles[d.Target]; role != nil {
				role.SetPolicies(policy)
			} else {
				x.User.SetPolicies(policy)
			}
		case access.KindTrust:
			x.Roles[d.Target].SetTrust(policy)
		case access.KindAccessPoint:
			x.Point.SetPolicy(policy)
		case access.KindBucket:
			x.bucketOf(d).SetPolicy(filled(t, policy))
		case access.KindKey:
			key := x.CopyKey
			if d.Account == Owner {
				key = x.OwnerKey
			}
			key.SetPolicy(&iam.Document{Version: iam.Version2012, Statements: append([]iam.Statement{administrators(d.Account)}, policy.Statements...)})
		case access.KindLifecycle, access.KindQueue, access.KindSession, access.KindServiceControl, access.KindResourceControl:
		default:
			t.Fatalf("got a document of kind %q", d.Kind)
		}
	}
}

// Sessions returns credentials that start a new session of each role. If sessionName is not empty,
// it is the name of each session.
func (x *World) Sessions(t *testing.T, sessionName string) *creds.Set {
	t.Helper()
	return x.EditedSessions(t, func(_ string, role *config.Role) {
		if sessionName != "" {
			role.SessionName = sessionName
		}
	})
}

// EditedSessions is like [World.Sessions], but edit can change the settings of each role first.
func (x *World) EditedSessions(t *testing.T, edit func(name string, role *config.Role)) *creds.Set {
	t.Helper()
	roles := map[string]config.Role{}
	for name, role := range x.Config.Roles {
		if role.ExternalID.Sent() {
			role.ExternalID = secret.PlainExternalID("the-external-id")
		}
		role.Tags = maps.Clone(role.Tags)
		edit(name, &role)
		roles[name] = role
	}
	set, err := creds.New(t.Context(), creds.Options{
		Roles: roles, EndpointURL: "http://aws.invalid", AllowHTTP: true, HTTPClient: &http.Client{Transport: x.Transport},
		Ambient:   credentials.NewStaticCredentialsProvider(x.User.AccessKeyID, x.User.SecretAccessKey, ""),
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile,
	})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// Client returns an S3 client with a session of the role.
func Client(t *testing.T, set *creds.Set, role string) *s3.Client {
	t.Helper()
	c, err := set.Config(role, Region)
	if err != nil {
		t.Fatal(err)
	}
	return s3.NewFromConfig(c, func(o *s3.Options) {
		o.UsePathStyle, o.BaseEndpoint, o.DisableLogOutputChecksumValidationSkipped = true, aws.String("http://aws.invalid"), true
	})
}

// step is one action of syncd.
type step struct {
	name string
	do   func(ctx context.Context) error
}

// FirstFailure runs the steps in order and returns the first error.
func FirstFailure(ctx context.Context, steps []step) error {
	for _, s := range steps {
		if err := s.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
