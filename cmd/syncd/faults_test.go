package main

import (
	"crypto/x509"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/demo"
	"syncd/internal/exit"
	"syncd/internal/iam"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// outerFault is a fault in the environment of the program.
type outerFault struct {
	name string
	// waits is true if the fault can go away by itself. The command is then allowed to take longer
	// than ten seconds.
	waits bool
	wreck func(o *outer)
}

const deniedKey = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::{account}:root"},"Action":["kms:Describe*","kms:Put*"],"Resource":"*"}]}`

func closedKey(account string) *iam.Document {
	return iam.MustParse(strings.ReplaceAll(deniedKey, "{account}", account))
}

func networkFaults() []outerFault {
	at := func(of *x509.Certificate, change func(*x509.Certificate)) *x509.Certificate {
		change(of)
		return of
	}
	through := func(o *outer) {
		o.proxy = &url.URL{Scheme: "http", Host: "proxy.corp:3128", User: url.UserPassword("me", "geheim")}
		o.env["HTTPS_PROXY"] = "http://me:geheim@proxy.corp:3128"
	}
	refuses := func(status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			writePage(w, status, nil)
			return true
		}
	}
	return []outerFault{
		{"host name that does not exist", false, func(o *outer) { o.dial = unknownName(true) }},
		{"DNS server that fails", true, func(o *outer) { o.dial = unknownName(false) }},
		{"connection refused", true, func(o *outer) { o.dial = failsWith(os.NewSyscallError("connect", syscall.ECONNREFUSED)) }},
		{"no route: connections time out", true, func(o *outer) { o.dial = noRoute }},
		{"connection reset", true, func(o *outer) { o.dial = resets }},
		{"certificate of an unknown authority", false, func(o *outer) { o.roots = x509.NewCertPool() }},
		{"expired certificate", false, func(o *outer) {
			o.certificate = o.certify(at(leaf(), func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = time.Now().Add(-48*time.Hour), time.Now().Add(-24*time.Hour)
			}))
		}},
		{"certificate of another host", false, func(o *outer) {
			o.certificate = o.certify(at(leaf(), func(c *x509.Certificate) { c.DNSNames = []string{"gateway.corp"} }))
		}},
		{"no TLS where TLS is expected", false, func(o *outer) { o.plain = true }},
		{"proxy page with status 200", false, func(o *outer) { through(o); o.handler = pageOf(http.StatusOK, nil) }},
		{"proxy page with status 403", false, func(o *outer) {
			through(o)
			o.handler = pageOf(http.StatusForbidden, http.Header{"Server": {"squid/6.1"}})
		}},
		{"proxy page with status 407", false, func(o *outer) { through(o); o.handler = pageOf(http.StatusProxyAuthRequired, nil) }},
		{"proxy that refuses the host", false, func(o *outer) { through(o); o.connect = refuses(http.StatusForbidden) }},
		{"proxy that asks for credentials", false, func(o *outer) { through(o); o.connect = refuses(http.StatusProxyAuthRequired) }},
		{"proxy without a route", true, func(o *outer) { through(o); o.connect = refuses(http.StatusBadGateway) }},
		{"proxy that is down", true, func(o *outer) {
			through(o)
			o.dial = failsWith(os.NewSyscallError("connect", syscall.ECONNREFUSED))
		}},
		{"proxy whose name does not exist", false, func(o *outer) { through(o); o.dial = unknownName(true) }},
		{"captive portal", false, func(o *outer) {
			o.handler = pageOf(http.StatusFound, http.Header{"Location": {"http://portal.example/login?session=1"}})
		}},
		{"page in front of S3 only", false, func(o *outer) {
			o.handler = onlyS3(o.handler, pageOf(http.StatusForbidden, nil))
		}},
		{"load balancer without a backend, 502", true, func(o *outer) {
			o.handler = pageOf(http.StatusBadGateway, http.Header{"Server": {"awselb/2.0"}})
		}},
		{"load balancer whose backend does not answer, 504", true, func(o *outer) {
			o.handler = pageOf(http.StatusGatewayTimeout, http.Header{"Server": {"awselb/2.0"}})
		}},
		{"page with status 503", true, func(o *outer) { o.handler = pageOf(http.StatusServiceUnavailable, nil) }},
		{"load balancer of another S3 service, 502", true, func(o *outer) {
			o.elsewhere()
			o.handler = pageOf(http.StatusBadGateway, http.Header{"Server": {"nginx"}})
		}},
		{"another S3 service refuses connections", true, func(o *outer) {
			o.elsewhere()
			o.dial = failsWith(os.NewSyscallError("connect", syscall.ECONNREFUSED))
		}},
		{"endpoint that never answers", true, func(o *outer) { o.handler = http.HandlerFunc(mute) }},
		{"unreachable state", true, func(o *outer) {
			o.onS3()
			o.dial = failsWith(os.NewSyscallError("connect", syscall.ECONNREFUSED))
		}},
		{"S3 that never answers", true, func(o *outer) { o.handler = onlyS3(o.handler, http.HandlerFunc(mute)) }},
		{"truncated answers", true, func(o *outer) {
			o.Cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.CutBody})
		}},
	}
}

// onlyS3 returns a handler that passes requests for STS to next, and all other requests to before.
func onlyS3(next, before http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Authorization"), "/sts/") {
			next.ServeHTTP(w, r)
			return
		}
		before.ServeHTTP(w, r)
	})
}

func credentialFaults() []outerFault {
	return []outerFault{
		{"no credentials at all", false, func(o *outer) { o.signs("", "") }},
		{"metadata endpoint that hangs", false, func(o *outer) { o.container(); o.handler = http.HandlerFunc(mute) }},
		{"metadata endpoint that refuses", false, func(o *outer) { o.container(); o.handler = pageOf(http.StatusForbidden, nil) }},
		{"missing metadata endpoint", false, func(o *outer) {
			o.container()
			o.dial = failsWith(os.NewSyscallError("connect", syscall.ECONNREFUSED))
		}},
		{"credentials that the SDK gives up on", false, func(o *outer) { o.ambient = aws.CredentialsProviderFunc(gaveUp) }},
		{"expired ambient credentials", false, func(o *outer) { o.Cloud.Inject(awsfake.Fault{Kind: awsfake.ExpiredToken}) }},
		{"access key that does not exist", false, func(o *outer) { o.signs("AKIAAAAAAAAAAAAAAAAA", "secret") }},
		{"wrong secret", false, func(o *outer) { o.signs(o.Consumer.AccessKeyID, "wrong") }},
		{"access key with a line break", false, func(o *outer) {
			o.signs(o.Consumer.AccessKeyID+"\n", o.Consumer.SecretAccessKey)
		}},
		{"external id with a line break", false, func(o *outer) { o.env["EXTERNAL_ID"] = demo.ExternalID + "\n" }},
		{"missing external id", false, func(o *outer) { delete(o.env, "EXTERNAL_ID") }},
		{"wrong external id", false, func(o *outer) { o.env["EXTERNAL_ID"] = "another-external-id" }},
		{"role that does not exist", false, func(o *outer) { o.edit("role/syncd-consumer", "role/syncd-consummer") }},
		{"first hop denied", false, func(o *outer) { o.hub.SetTrust(trustedWith(o.hub.ARN, "x")) }},
		{"second hop denied", false, func(o *outer) { o.hub.SetPolicies() }},
		{"clock fast", false, func(o *outer) {
			o.says("sts", "SignatureDoesNotMatch", "Signature not yet current: 20000101T010000Z is still later than 20000101T001500Z (20000101T000000Z + 15 min.)")
			o.says("s3", "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
		}},
		{"clock slow", false, func(o *outer) {
			o.says("sts", "SignatureDoesNotMatch", "Signature expired: 19991231T230000Z is now earlier than 19991231T234500Z (20000101T000000Z - 15 min.)")
			o.says("s3", "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.")
		}},
	}
}

func placeFaults() []outerFault {
	return []outerFault{
		{"wrong region of the source", false, func(o *outer) {
			o.edit("owner-data, region: us-east-1", "owner-data, region: eu-west-1")
		}},
		{"wrong region of the destination", false, func(o *outer) {
			o.Cloud.Account(demo.Consumer).CreateBucket("copy-west", "eu-west-1", awsfake.BucketOptions{})
			o.edit("consumer-copy", "copy-west")
		}},
		{"source in a region that is not enabled", false, func(o *outer) {
			o.Cloud.Account(demo.Owner).CreateBucket("owner-south", "eu-south-1", awsfake.BucketOptions{})
			o.edit("owner-data", "owner-south")
		}},
		{"destination in a region that is not enabled", false, func(o *outer) {
			o.Cloud.Account(demo.Consumer).CreateBucket("copy-south", "eu-south-1", awsfake.BucketOptions{})
			o.edit("consumer-copy", "copy-south")
		}},
		{"wrong region of the state", false, func(o *outer) {
			o.Cloud.Account(demo.Consumer).CreateBucket("state-west", "eu-west-1", awsfake.BucketOptions{})
			o.onS3()
			o.edit("s3://consumer-state/", "s3://state-west/")
		}},
		{"missing source bucket", false, func(o *outer) { o.edit("owner-data", "owner-dta") }},
		{"missing destination bucket", false, func(o *outer) { o.edit("consumer-copy", "consumer-cpy") }},
		{"missing state bucket", false, func(o *outer) {
			o.onS3()
			o.edit("s3://consumer-state/", "s3://consumer-stat/")
		}},
		{"state of another account", false, func(o *outer) {
			o.onS3()
			o.edit(`checkpoint: {account: "222222222222"`, `checkpoint: {account: "444444444444"`)
		}},
		{"state denied", false, func(o *outer) {
			o.onS3()
			o.state.SetPolicy(denying("s3:*", outerState))
		}},
		{"wrong owner of the source", false, func(o *outer) { o.edit(`account: "111111111111"`, `account: "444444444444"`) }},
		{"wrong owner of the destination", false, func(o *outer) {
			o.edit(`consumer-copy, region: us-east-1, account: "222222222222"`, `consumer-copy, region: us-east-1, account: "444444444444"`)
		}},
	}
}

func denying(action, bucket string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"` + action +
		`","Resource":["arn:aws:s3:::` + bucket + `","arn:aws:s3:::` + bucket + `/*"]}]}`)
}

func policyFaults() []outerFault {
	return []outerFault{
		{"missing destination key", false, func(o *outer) {
			o.edit("{consumer-key}", "arn:aws:kms:us-east-1:222222222222:key/00000000-0000-4000-8000-000000000000")
		}},
		{"key of another region", false, func(o *outer) {
			o.edit("{consumer-key}", "arn:aws:kms:eu-west-1:222222222222:key/00000000-0000-4000-8000-000000000000")
		}},
		{"destination key disabled", false, func(o *outer) { o.ConsumerKey.SetEnabled(false) }},
		{"destination key pending deletion", false, func(o *outer) { o.ConsumerKey.ScheduleDeletion() }},
		{"destination key of another account", false, func(o *outer) {
			o.edit("{consumer-key}", "arn:aws:kms:us-east-1:444444444444:key/00000000-0000-4000-8000-000000000000")
		}},
		{"destination key denied", false, func(o *outer) { o.ConsumerKey.SetPolicy(closedKey(demo.Consumer)) }},
		{"source key disabled", false, func(o *outer) { o.OwnerKey.SetEnabled(false) }},
		{"source key denied", false, func(o *outer) { o.Revoke() }},
		{"source not shared", false, func(o *outer) { o.Source.SetPolicy(nil) }},
		{"source can be listed but not read", false, func(o *outer) {
			o.Source.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + o.Role.ARN + `"},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::owner-data"}]}`))
		}},
		{"bucket policy that demands an ACL", false, func(o *outer) {
			o.Role.SetPolicies(everything("*"))
			o.Destination.SetPolicy(iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject",
				"Resource":"arn:aws:s3:::consumer-copy/*","Condition":{"StringNotEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}]}`))
		}},
		{"objects of a third account", false, func(o *outer) {
			o.Source.Put("b", awsfake.BytesBody([]byte("b")), awsfake.PutOptions{Owner: "444444444444"})
		}},
	}
}

// TestOuterFaults compares the output of backfill, plan and doctor for each fault of the
// environment with a golden file. It checks that each command that fails prints what to do, and
// fails within ten seconds unless waiting can help. The test runs in a synctest bubble, whose clock
// does not depend on how busy the machine is.
func TestOuterFaults(t *testing.T) {
	skipIfShort(t)
	var got strings.Builder
	for _, faults := range [][]outerFault{networkFaults(), credentialFaults(), placeFaults(), policyFaults()} {
		for _, f := range faults {
			t.Run(f.name, func(t *testing.T) { fmt.Fprintf(&got, "== %s\n%s", f.name, f.record(t)) })
		}
	}
	if t.Failed() || flag.Lookup("test.run").Value.String() != "" && strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
		return // only some of the faults were tested, or a test failed
	}

	golden(t, "faults.golden", got.String())
}

// clearAWS removes the AWS settings of the machine from the environment.
func clearAWS(t *testing.T) {
	t.Helper()
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_REGION", "AWS_CA_BUNDLE",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_ENDPOINT_URL",
	} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func (f outerFault) record(t *testing.T) string {
	t.Helper()
	clearAWS(t)
	dir := t.TempDir()
	var b strings.Builder
	isMet := false
	for _, command := range []string{"backfill", "plan", "doctor"} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			o := newOuter(t)
			f.wreck(o)
			ended, took := o.run(dir, command, "--log-level", "warn")
			if most := 10 * time.Second; took > most && !f.waits {
				t.Errorf("%s took %s, want at most %s", command, took, most)
			}
			text := o.shown(command, ended, dir)
			fmt.Fprintf(&b, "-- %s: exit %d\n%s", command, ended.code, text)
			isMet = isMet || ended.code != 0
			if ended.code != 0 && ended.code != exit.CodeUsage && !strings.Contains(text, "; hint: ") && !strings.Contains(text, "1. ") {
				t.Errorf("%s does not say what to do:\n%s", command, text)
			}
		})
	}
	if !isMet {
		t.Error("no command met the fault")
	}
	return b.String()
}

// shown returns the output of a run, without values that vary between runs and without successful
// checks.
func (o *outer) shown(command string, ended outcome, dir string) string {
	text := ended.stderr
	switch command {
	case "doctor":
		text = failures(ended.stdout) + text
	case "backfill":
		text = ended.stdout + progressLine.ReplaceAllString(text, "")
	}
	text = strings.NewReplacer(
		dir, "DIR", o.ConsumerKey.ARN(), "CONSUMER-KEY", o.OwnerKey.ARN(), "OWNER-KEY", o.Consumer.ARN, "CONSUMER-USER",
		o.Consumer.AccessKeyID, "ACCESS-KEY",
	).Replace(text)
	for _, varying := range varyings() {
		text = varying.ReplaceAllString(text, "$1...")
	}
	return text
}

// progressLine matches the progress of a backfill.
var progressLine = regexp.MustCompile(`(?m)^\S+: [0-9]+ of [0-9]+ objects,.*\n`)

func varyings() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile(`(request )[0-9A-Fa-f]{16}`),
		regexp.MustCompile(`(\b)20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z`),
		regexp.MustCompile(`(\.syncd-doctor-)[A-Z2-7]{26}`),
		regexp.MustCompile(`(\bin )[0-9.]+m?s\b`),
	}
}

// failures returns the part of the doctor's output about failed checks and their causes, without
// the statements to add.
func failures(text string) string {
	var b strings.Builder
	keep := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "  ok "), strings.HasPrefix(line, "  skipped "):
			keep = false
			continue
		case strings.HasPrefix(line, indent):
		default:
			keep = true
		}
		if keep && !strings.HasPrefix(line, indent+"   add ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// golden compares text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update accepts):\n%s", path, diff)
	}
}

// indent is the indentation of the doctor's explanations.
const indent = "           "
