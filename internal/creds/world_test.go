package creds_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"syncd/config"
	"syncd/config/value"
	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/iam"
)

const (
	region     = "us-west-2"
	consumer   = "222222222222"
	governance = "333333333333"
	externalID = "the-external-id-8d2f"
)

// world is a consumer's bucket, a role that is allowed to list it, and a user who is allowed to
// assume the role.
type world struct {
	cloud   *awsfake.Cloud
	account *awsfake.Account
	user    *awsfake.User
	bucket  *awsfake.Bucket
	role    *awsfake.Role
	roles   map[string]config.Role
	options creds.Options
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldIn(t, awsfake.New(awsfake.Options{}))
}

func newWorldIn(t *testing.T, cloud *awsfake.Cloud) *world {
	t.Helper()
	alone(t)
	w := &world{cloud: cloud, account: cloud.Account(consumer)}
	w.user, w.bucket = w.account.AdminUser(), w.account.CreateBucket("data", region, awsfake.BucketOptions{})
	w.role = w.account.CreateRole("syncd", trust(w.user.ARN, ""), awsfake.RoleOptions{Policies: []*iam.Document{allowAll()}})
	w.roles = map[string]config.Role{"syncd": {ARN: w.role.ARN, SessionName: "syncd", Duration: value.Duration(time.Hour)}}
	w.options = creds.Options{
		Roles: w.roles, EndpointURL: "http://aws.invalid", PlainHTTP: []string{"http://aws.invalid"}, AllowHTTP: true, HTTPClient: &http.Client{Transport: cloud.RoundTripper()},
		Ambient:   credentials.NewStaticCredentialsProvider(w.user.AccessKeyID, w.user.SecretAccessKey, ""),
		LookupEnv: os.LookupEnv, ReadFile: os.ReadFile,
	}
	return w
}

// alone isolates the test from the machine's AWS configuration.
func alone(t *testing.T) {
	t.Helper()
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

func allowAll() *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
}

// trust allows a principal to assume a role, tag the session and set a source identity, with an
// external id if there is one.
func trust(principal, externalID string) *iam.Document {
	condition := ""
	if externalID != "" {
		condition = fmt.Sprintf(`,"Condition":{"StringEquals":{"sts:ExternalId":%q}}`, externalID)
	}
	return iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"%s},
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":["sts:TagSession","sts:SetSourceIdentity"]}]}`, principal, condition, principal))
}

// set changes the role with that name in the configuration.
func (w *world) set(name string, change func(*config.Role)) {
	role := w.roles[name]
	change(&role)
	w.roles[name] = role
}

func (w *world) open(t *testing.T) *creds.Set {
	t.Helper()
	set, err := creds.New(t.Context(), w.options)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// client is an S3 client that signs as the role.
func (w *world) client(t *testing.T, set *creds.Set, role string) *s3.Client {
	t.Helper()
	c, err := set.Config(role, region)
	if err != nil {
		t.Fatal(err)
	}
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle, o.BaseEndpoint = true, aws.String("http://aws.invalid") })
}

func list(ctx context.Context, client *s3.Client) error {
	_, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("data")})
	return err
}

// try lists the bucket once with a fresh session of the role.
func (w *world) try(t *testing.T, role string) error {
	t.Helper()
	return list(t.Context(), w.client(t, w.open(t), role))
}

func (w *world) assumed() int64 { return w.cloud.Requests()["AssumeRole"] }

// answering gives every request to STS the same response; other requests are sent to the cloud.
type answering struct {
	next   http.RoundTripper
	status int
	body   func(request string) string
}

func (a answering) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.Contains(r.Header.Get("Authorization"), "/sts/") {
		return a.next.RoundTrip(r)
	}
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body := a.body(string(sent))
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(body)),
		Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// inParallel calls do n times concurrently and returns the errors.
func inParallel(n int, do func() error) error {
	var all sync.WaitGroup
	errs := make([]error, n)
	for i := range errs {
		all.Go(func() { errs[i] = do() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// refusal returns err as a *awserr.CredentialsError, and fails the test if it is not one.
func refusal(t *testing.T, err error) *awserr.CredentialsError {
	t.Helper()
	refused, ok := errors.AsType[*awserr.CredentialsError](err)
	if !ok || awserr.Classify(err) != awserr.Credentials || !awserr.Fatal(err) {
		t.Fatalf("got %v of class %q, want a fatal CredentialsError", err, awserr.Classify(err))
	}
	return refused
}

// counting is a middleware that counts the requests that pass it.
func counting(n *int, mu *sync.Mutex) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("count", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			mu.Lock()
			*n++
			mu.Unlock()
			return next.HandleFinalize(ctx, in)
		}), middleware.Before)
	}
}
