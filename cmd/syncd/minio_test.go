package main

import (
	"encoding/base64"
	"flag"
	"fmt"
	"net"
	"net/http"
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
	"syncd/internal/invocation"
)

// The tests on MinIO need a real server, which is not in the repository.
var minioPath = flag.String("minio", "", "`PATH` of a MinIO server for the tests against a real one; make minio builds it")

// The user of every server, and the names of the KMS keys of the source and of the copies.
const (
	minioUser      = "fidelity-user"
	minioPassword  = "fidelity-password"
	minioSourceKey = "owner-key"
	minioCopyKey   = "consumer-key"
	minioKeyARN    = "arn:aws:kms:"
)

// TestFidelityOnMinIO checks the table of objects on real MinIO servers: between two buckets of one
// server with the ambient credentials, and between two servers with different keys, with a role of
// each server, assumed through the STS of that server.
func TestFidelityOnMinIO(t *testing.T) {
	needMinIO(t)
	t.Run("server-side", func(t *testing.T) {
		server := startMinIO(t, minioCopyKey)
		m := newMinIOMatrix(t, server, server)
		m.ownersKey = minioCopyKey // a server has only one key
		m.configure(t, "", `account: ""`, `account: "", kms_key: "`+m.keyARN+`"`, server)
		m.test(t)
	})
	t.Run("relay", func(t *testing.T) {
		from, to := startMinIO(t, minioSourceKey), startMinIO(t, minioCopyKey)
		m := newMinIOMatrix(t, from, to)
		m.relay = true
		roles := fmt.Sprintf(`roles:
  reader: {arn: "arn:aws:iam::111111111111:role/reader", external_id: fidelity-1, tags: {team: data}, endpoint_url: %q}
  writer: {arn: "arn:aws:iam::222222222222:role/writer", external_id: fidelity-2, endpoint_url: %q}
`, from, to)
		m.configure(t, roles, `role: reader, endpoint_url: "`+from+`"`, `role: writer, endpoint_url: "`+to+`", kms_key: "`+m.keyARN+`"`, to)
		m.test(t)
	})
}

// needMinIO skips the test if there is no server, and sets the ambient credentials to those of every server.
func needMinIO(t *testing.T) {
	t.Helper()
	if *minioPath == "" {
		t.Skip("needs a MinIO server: make minio, or go test ./cmd/syncd -minio PATH with one built by e2e/build-minio.sh")
	}
	t.Setenv("AWS_ACCESS_KEY_ID", minioUser)
	t.Setenv("AWS_SECRET_ACCESS_KEY", minioPassword)
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
}

// minioMatrix is a matrix whose program uses only its configuration and its environment.
type minioMatrix struct {
	matrix
	config string
}

// newMinIOMatrix returns a matrix between two servers, or between two buckets of one server.
func newMinIOMatrix(t *testing.T, from, to string) *minioMatrix {
	t.Helper()
	dir := t.TempDir()
	m := &minioMatrix{config: filepath.Join(dir, "syncd.yaml")}
	m.matrix = matrix{
		owner: minioClient(from), consumer: minioClient(to), ownersKey: minioSourceKey, keyARN: minioKeyARN + minioCopyKey,
		server: onMinIO, state: filepath.Join(dir, "state"), create: m.createPair,
		run: func(t *testing.T, args ...string) outcome {
			t.Helper()
			var stdout, stderr lockedBuffer
			p := invocation.Process{Stdout: &stdout, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: time.Now}
			code := run(t.Context(), append(args, "--config", m.config), p)
			return outcome{code, stdout.String(), stderr.String()}
		},
	}
	return m
}

// configure writes the configuration: the roles, and the settings that all sources or all
// destinations have.
func (m *minioMatrix) configure(t *testing.T, roles, source, destination, endpoint string) {
	t.Helper()
	head := fmt.Sprintf("state: %q\naws: {endpoint_url: %q, path_style: true}\n", "file:"+m.state, endpoint)
	if err := os.WriteFile(m.config, []byte(head+roles+m.mappings(source, destination)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (m *minioMatrix) createPair(t *testing.T, s setting) *awsfake.Bucket {
	t.Helper()
	source, destination := s.sourceBucket(), s.destinationBucket()
	for _, in := range []struct {
		client *s3.Client
		bucket *s3.CreateBucketInput
	}{
		{m.owner, &s3.CreateBucketInput{Bucket: &source, ObjectLockEnabledForBucket: &s.sourceLock}},
		{m.consumer, &s3.CreateBucketInput{Bucket: &destination, ObjectLockEnabledForBucket: &s.destinationLock}},
	} {
		if _, err := in.client.CreateBucket(t.Context(), in.bucket); err != nil {
			t.Fatal(err)
		}
		if !s.versioned {
			continue
		}
		if _, err := in.client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
			Bucket: in.bucket.Bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
		}); err != nil {
			t.Fatal(err)
		}
	}
	return nil
}

func minioClient(endpoint string) *s3.Client {
	return s3.New(s3.Options{
		Region: demo.Region, BaseEndpoint: &endpoint, UsePathStyle: true, RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		Credentials: credentials.NewStaticCredentialsProvider(minioUser, minioPassword, ""),
	})
}

// startMinIO runs a server with one KMS key until the test ends. It returns the endpoint when the
// server is ready.
func startMinIO(t *testing.T, key string) (endpoint string) {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	cmd := exec.CommandContext(t.Context(), *minioPath, "server", "--address", address, "--console-address", freeAddress(t),
		"--certs-dir", filepath.Join(dir, "certs"), filepath.Join(dir, "data"))
	cmd.Env = append(os.Environ(), "MINIO_ROOT_USER="+minioUser, "MINIO_ROOT_PASSWORD="+minioPassword, "MINIO_BROWSER=off", "MINIO_UPDATE=off",
		"MINIO_KMS_SECRET_KEY="+key+":"+base64.StdEncoding.EncodeToString([]byte(strings.Repeat(key, 32)[:32])))
	var log lockedBuffer
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // the server ends with the test's context
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }() // a signal ends the server, so its exit status does not matter
	t.Cleanup(func() {
		<-ended
		if t.Failed() {
			t.Logf("log of the server on %s:\n%s", address, log.String())
		}
	})
	endpoint = "http://" + address
	eventually(t, "the server on "+address+" is ready", func() bool {
		select {
		case <-ended:
			t.Fatal("the server ended before it was ready")
		default:
		}
		return isReady(t, endpoint)
	})
	return endpoint
}

func isReady(t *testing.T, endpoint string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, endpoint+"/minio/health/ready", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Timeout: time.Second}).Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close() // only the status is used
	return res.StatusCode == http.StatusOK
}

// freeAddress returns a loopback address that is currently not in use.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }() // the listener only reserved a port number
	return listener.Addr().String()
}
