package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/iam"
	"syncd/internal/syncer"
)

// The tests on a Versity gateway need a real server, which is not in the repository.
var versityPath = flag.String("versitygw", "", "`PATH` of a Versity S3 gateway for the tests against a real one; make versitygw builds it")

const needsVersity = "needs a Versity gateway: make versitygw, or go test ./cmd/syncd -versitygw PATH with one built by e2e/build-versitygw.sh"

// leftOutOfVersity returns why a kind cannot be put into a Versity gateway: its own reason, or the
// reason of MinIO.
func (k kind) leftOutOfVersity() string { return cmp.Or(k.versity, k.minio) }

// TestFidelityFromVersity checks the copies of the table of objects from a real Versity gateway,
// read with the ambient credentials of its root user, into a simulated AWS account, with a role of
// that account.
func TestFidelityFromVersity(t *testing.T) {
	if *versityPath == "" {
		t.Skip(needsVersity)
	}
	s := newSite(t, nil)
	s.Role.SetPolicies(iam.MustParse(fidelityRole))
	from, root := s.startVersity(t)
	m := &matrix{
		owner: root, consumer: s.clientOf(s.Consumer), keyARN: s.ConsumerKey.ARN(),
		server: onVersity, tellsBucketKey: true, relay: true, state: filepath.Join(s.dir, "state"),
		run: func(t *testing.T, args ...string) outcome { t.Helper(); return s.run(t.Context(), args...) },
	}
	m.create = func(t *testing.T, in setting) *awsfake.Bucket {
		t.Helper()
		createOnVersity(t, root, in.sourceBucket(), in.versioned, in.sourceLock)
		s.Cloud.Account(demo.Consumer).CreateBucket(in.destinationBucket(), demo.Region, awsfake.BucketOptions{
			KeyARN: s.ConsumerKey.ARN(), Versioning: in.versioned, ObjectLock: in.destinationLock,
		})
		return nil
	}
	s.configure(t, m.mappings(`endpoint_url: "`+from+`", path_style: true`,
		`account: "`+demo.Consumer+`", role: consumer, kms_key: "`+m.keyARN+`"`))
	m.test(t)
}

// TestUnencryptedCopiesAreRejectedOnVersity checks that no pass counts an object as a copy if a
// real Versity gateway accepts the object but silently ignores the requested KMS encryption.
func TestUnencryptedCopiesAreRejectedOnVersity(t *testing.T) {
	if *versityPath == "" {
		t.Skip(needsVersity)
	}
	for _, mode := range []string{"server_side", "relay"} {
		t.Run(mode, func(t *testing.T) {
			s := newSite(t, nil)
			to, root := s.startVersity(t)
			createOnVersity(t, root, "destination", false, false)
			createOnVersity(t, root, "source", false, false)
			for _, key := range []string{"a", "a+b", "100%", "large"} {
				body := key
				if key == "large" {
					body = strings.Repeat("x", relayPart+1)
				}
				if _, err := root.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("source"), Key: &key, Body: strings.NewReader(body)}); err != nil {
					t.Fatal(err)
				}
			}
			s.configure(t, `mappings:
  - name: m
    source: {bucket: source, region: us-east-1, endpoint_url: "`+to+`", path_style: true}
    destination: {bucket: destination, region: us-east-1, endpoint_url: "`+to+`", path_style: true, kms_key: "arn:aws:kms:us-east-1:222222222222:key/absent"}
    copy: {mode: `+mode+`}
`)
			m := &matrix{state: filepath.Join(s.dir, "state")}
			for range 3 {
				got := s.run(t.Context(), "backfill", "--json")
				var summary syncer.Summary
				if err := json.Unmarshal([]byte(got.stdout), &summary); err != nil {
					t.Fatalf("got stdout %q, %v; stderr:\n%s", got.stdout, err, got.stderr)
				}
				if summary.Copied != 0 || summary.Adopted != 0 || summary.Unchanged != 0 || summary.Listed != 4 || summary.Exit != 3 {
					t.Errorf("got %+v, want no object counted as copied", summary)
				}
			}
			for key, q := range m.aside(t, setting{name: "m"}) {
				if q.Reason != "wrong_key" {
					t.Errorf("%q: got reason %s (%s), want wrong_key", key, q.Reason, q.Detail)
				}
			}
		})
	}
}

// configure writes the configuration of the site's accounts with the given mappings.
func (s *site) configure(t *testing.T, mappings string) {
	t.Helper()
	if err := os.WriteFile(s.config, []byte(s.Render(fidelityConfig, s.dir)+mappings), 0o600); err != nil {
		t.Fatal(err)
	}
}

func createOnVersity(t *testing.T, root *s3.Client, bucket string, versioned, locked bool) {
	t.Helper()
	if _, err := root.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &bucket, ObjectLockEnabledForBucket: &locked}); err != nil {
		t.Fatal(err)
	}
	if !versioned {
		return
	}
	_, err := root.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// startVersity runs a gateway over a folder until the test ends. When the gateway is ready it
// returns the endpoint and a client of the root user, who has the access keys of the site's
// consumer.
func (s *site) startVersity(t *testing.T) (endpoint string, root *s3.Client) {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	for _, name := range []string{"data", "meta", "versions"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), *versityPath, "--port", address, "--region", "us-east-1", "--quiet",
		"--access", s.Consumer.AccessKeyID, "--secret", s.Consumer.SecretAccessKey,
		"posix", "--sidecar", filepath.Join(dir, "meta"), "--versioning-dir", filepath.Join(dir, "versions"), filepath.Join(dir, "data"))
	var log lockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // the gateway ends with the test's context
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }() // a signal ends the gateway, so its exit status does not matter
	t.Cleanup(func() {
		<-ended
		if t.Failed() {
			t.Logf("log of the gateway on %s:\n%s", address, log.String())
		}
	})
	eventually(t, "the gateway on "+address+" listens", func() bool {
		select {
		case <-ended:
			t.Fatalf("the gateway ended before it was ready:\n%s", log.String())
		default:
		}
		return listens(t.Context(), address)
	})
	return "http://" + address, s3.New(s3.Options{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + address), UsePathStyle: true,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		Credentials:                credentials.NewStaticCredentialsProvider(s.Consumer.AccessKeyID, s.Consumer.SecretAccessKey, ""),
	})
}

func listens(ctx context.Context, address string) bool {
	connection, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	return connection.Close() == nil
}
