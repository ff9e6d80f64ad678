package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/awsfake"
	"syncd/internal/iam"
	"syncd/internal/invocation"
)

const (
	shareRegion     = "us-west-2"
	shareOwner      = "111111111111"
	shareConsumer   = "222222222222"
	shareGovernance = "333333333333"
	shareExternalID = "the-external-id-of-the-test"
	shareKey        = "arn:aws:kms:us-west-2:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d" // in the examples
	shareTask       = "syncd-task"                                                                  // the role that the program runs as, as on ECS
	shareSource     = "owner-data"
	shareCopy       = "consumer-copy"
)

// sharing runs the program with an example configuration. Its accounts allow only what the
// documents of `syncd policy` grant.
type sharing struct {
	cloud             *awsfake.Cloud
	inside, outside   string   // through and outside the VPC endpoint of the example, if it has one
	dir, config       string   // the path of the configuration
	text              string   // the configuration without the edits of a test
	command           []string // the words of the command that writes the documents
	mappings          []config.Mapping
	documents         []shared
	roles             map[string]*awsfake.Role // by ARN
	buckets           map[string]*awsfake.Bucket
	ownerKey, copyKey *awsfake.Key
	ambient           aws.CredentialsProvider
	externalID        string       // that the program uses
	later             atomic.Int64 // how far the clock is advanced, in nanoseconds
}

// shared is a document that the program wrote.
type shared struct {
	Kind    access.Kind `json:"kind"`
	Account string      `json:"account"`
	Target  string      `json:"target"`
	Body    json.RawMessage
}

// newSharing creates the accounts of the example share-WAY.yaml, and applies the documents that the
// command at the top of the example writes.
func newSharing(t *testing.T, way string) *sharing {
	t.Helper()
	x := &sharing{dir: t.TempDir(), roles: map[string]*awsfake.Role{}, buckets: map[string]*awsfake.Bucket{}}
	x.cloud = awsfake.New(awsfake.Options{Now: x.now})
	text, err := os.ReadFile(filepath.Join("../../config/examples", "share-"+way+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	x.config = filepath.Join(x.dir, "share-"+way+".yaml")
	x.readCommand(t, string(text))
	x.open(t)
	x.build(t)
	x.adapt(t, string(text))
	c, err := config.Load(x.config)
	if err != nil {
		t.Fatal(err)
	}
	x.mappings = c.Mappings
	for _, r := range c.Roles {
		x.createRole(r.ARN)
	}
	x.writePolicies(t)
	x.allowAll(t)
	return x
}

// now is the time in the accounts and in the program.
func (x *sharing) now() time.Time { return time.Now().Add(time.Duration(x.later.Load())) }

// createRole creates a role that has no permissions and that no principal can assume.
func (x *sharing) createRole(arn string) {
	fields := strings.Split(arn, ":")
	nobody := iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}]}`)
	x.roles[arn] = x.cloud.Account(fields[4]).CreateRole(strings.TrimPrefix(fields[5], "role/"), nobody, awsfake.RoleOptions{})
}

// readCommand returns the command that writes the documents of the example.
func (x *sharing) readCommand(t *testing.T, text string) {
	t.Helper()
	const title = "#   syncd "
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, title); ok {
			x.command = strings.Fields(command)
		}
	}
	at := slices.Index(x.command, "--config")
	if at < 0 || len(x.command) < at+2 {
		t.Fatalf("got the command %q in the head of the example, want one with --config FILE", x.command)
	}
	x.command = slices.Delete(x.command, at, at+2)
}

// option returns the value of a flag of the command, or "".
func (x *sharing) option(flag string) string {
	if at := slices.Index(x.command, flag); at >= 0 {
		return x.command[at+1]
	}
	return ""
}

// open starts an endpoint of the accounts that bypasses the VPC endpoint. If the command names a
// VPC endpoint, open also starts an endpoint through that VPC endpoint.
func (x *sharing) open(t *testing.T) {
	t.Helper()
	plain := httptest.NewServer(x.cloud)
	t.Cleanup(plain.Close)
	x.outside, x.inside = plain.URL, plain.URL
	if id := x.option("--vpc-endpoint"); id != "" {
		private := httptest.NewServer(x.cloud.Endpoint(id, "vpc-1", nil))
		t.Cleanup(private.Close)
		x.inside = private.URL
	}
}

// build creates the keys, the buckets and the role that the program runs as.
func (x *sharing) build(t *testing.T) {
	t.Helper()
	from, to := x.cloud.Account(shareOwner), x.cloud.Account(shareConsumer)
	x.ownerKey, x.copyKey = from.CreateKey(shareRegion, nil), to.CreateKey(shareRegion, nil)
	x.buckets[shareSource] = from.CreateBucket(shareSource, shareRegion, awsfake.BucketOptions{KeyARN: x.ownerKey.ARN()})
	x.buckets[shareCopy] = to.CreateBucket(shareCopy, shareRegion, awsfake.BucketOptions{KeyARN: x.copyKey.ARN(), Versioning: true})
	x.buckets["consumer-state"] = to.CreateBucket("consumer-state", shareRegion, awsfake.BucketOptions{})

	machine := to.CreateUser("machine", iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`))
	task := to.CreateRole(shareTask, iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+machine.ARN+`"},"Action":"sts:AssumeRole"}]}`), awsfake.RoleOptions{})
	x.roles[""], x.roles[task.ARN] = task, task
	client := sts.New(sts.Options{
		Region: shareRegion, BaseEndpoint: &x.outside,
		Credentials: credentials.NewStaticCredentialsProvider(machine.AccessKeyID, machine.SecretAccessKey, ""),
	})
	session, err := client.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &task.ARN, RoleSessionName: aws.String("task")})
	if err != nil {
		t.Fatal(err)
	}
	x.ambient = credentials.NewStaticCredentialsProvider(*session.Credentials.AccessKeyId, *session.Credentials.SecretAccessKey, *session.Credentials.SessionToken)
}

// adapt changes the example for the accounts of the test: the endpoint, the ARN of the key, and an
// existing folder. It lowers the size above which objects are copied in parts, so that test objects
// can be smaller.
func (x *sharing) adapt(t *testing.T, text string) {
	t.Helper()
	const parts = "multipart_above: 5MiB, part_size: 5MiB"
	text = strings.NewReplacer(
		shareKey, x.copyKey.ARN(), "state: file:/var/lib/syncd", "state: file:"+filepath.Join(x.dir, "state"),
		"    copy:\n      tags: omit", "    copy: {"+parts+", tags: omit}",
	).Replace(text)
	if !strings.Contains(text, parts) {
		text = strings.ReplaceAll(text, "    source:", "    copy: {"+parts+"}\n    source:")
	}
	x.text = text + fmt.Sprintf("\naws: {endpoint_url: %q, path_style: true}\n", x.inside)
	if !strings.Contains(x.text, x.copyKey.ARN()) || !strings.Contains(x.text, parts) {
		t.Fatalf("got the configuration\n%s\nwant the key and the part size in it", x.text)
	}
	x.externalID = shareExternalID
	x.configure(t)
}

// configure writes the configuration of the program: x.text with edits. The edits are texts, each
// followed by its replacement.
func (x *sharing) configure(t *testing.T, edits ...string) {
	t.Helper()
	text := x.text
	for edit := range slices.Chunk(edits, 2) {
		if !strings.Contains(text, edit[0]) {
			t.Fatalf("edit the configuration: it has no %q", edit[0])
		}
		text = strings.ReplaceAll(text, edit[0], edit[1])
	}
	if err := os.WriteFile(x.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// run runs the program in this process, like [site.run]. ExternalIds are in the places where the
// configuration expects them.
func (x *sharing) run(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr lockedBuffer
	p := invocation.Process{
		Stdout: &stdout, Stderr: &stderr, Now: x.now, Ambient: x.ambient,
		LookupEnv: func(name string) (string, bool) { return x.externalID, strings.HasSuffix(name, "_EXTERNAL_ID") },
		ReadFile: func(path string) ([]byte, error) {
			if path == "/run/secrets/external-id" {
				return []byte(x.externalID + "\n"), nil
			}
			return os.ReadFile(path)
		},
	}
	code := run(t.Context(), append(slices.Clone(args), "--config", x.config), p)
	return outcome{code, stdout.String(), stderr.String()}
}

// policiesFile is the file with the documents that the program wrote.
func (x *sharing) policiesFile() string { return filepath.Join(x.dir, "policies.json") }

// writePolicies runs the program to write the documents.
func (x *sharing) writePolicies(t *testing.T) {
	t.Helper()
	got := x.run(t, append(slices.Clone(x.command), "--format", "json", "--with-secrets")...)
	if got.code != 0 {
		t.Fatalf("%q: got exit %d, want 0; stderr:\n%s", x.command, got.code, got.stderr)
	}
	var bundle struct{ Documents []shared }
	if err := json.Unmarshal([]byte(got.stdout), &bundle); err != nil {
		t.Fatal(err)
	}
	x.documents = bundle.Documents
	if err := os.WriteFile(x.policiesFile(), []byte(got.stdout), 0o600); err != nil {
		t.Fatal(err)
	}
}

// allowAll restores the working setup: the organization, the documents, the configuration and the
// ExternalId.
func (x *sharing) allowAll(t *testing.T) {
	t.Helper()
	for _, account := range []string{shareOwner, shareConsumer, shareGovernance} {
		x.cloud.Account(account).SetOrg(x.option("--org-id"))
	}
	x.externalID = shareExternalID
	x.configure(t)
	x.enforce(t, func(_ shared, policy *iam.Document) *iam.Document { return policy })
}

// enforce applies each document that the program wrote, after change has changed it. If change
// returns nil, the document that was applied before stays in force.
func (x *sharing) enforce(t *testing.T, change func(shared, *iam.Document) *iam.Document) {
	t.Helper()
	for _, d := range x.documents {
		if d.Kind == access.KindLifecycle {
			continue
		}
		policy, err := iam.Parse(d.Body)
		if err != nil {
			t.Fatal(err)
		}
		if policy = change(d, policy); policy == nil {
			continue
		}
		switch d.Kind { //nolint:exhaustive // the program writes no other kind
		case access.KindIdentity:
			x.roles[d.Target].SetPolicies(policy)
		case access.KindTrust:
			x.roles[d.Target].SetTrust(policy)
		case access.KindBucket:
			x.buckets[d.Target].SetPolicy(policy)
		case access.KindKey:
			policy.Statements = append(policy.Statements, keepers(d.Account))
			x.key(d.Account).SetPolicy(policy)
		default:
			t.Fatalf("got a document of kind %q", d.Kind)
		}
	}
}

func (x *sharing) key(account string) *awsfake.Key {
	if account == shareOwner {
		return x.ownerKey
	}
	return x.copyKey
}

// keepers is the part of a key policy that `syncd policy` does not generate. It allows the account
// to manage the key, but not to use it.
func keepers(account string) iam.Statement {
	return iam.Statement{
		Effect: iam.Allow, Principals: []iam.Principal{{Kind: iam.AWSPrincipal, ID: account}},
		Actions: []string{"kms:Describe*", "kms:Get*", "kms:Put*"}, Resources: []string{"*"},
	}
}
