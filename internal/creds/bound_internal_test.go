package creds

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"syncd/internal/awserr"
)

// TestWithin checks the error of within for each way in which a retrieval of the SDK can fail, for
// example at a deadline or with a refusal.
func TestWithin(t *testing.T) {
	refused := errors.New("https response error StatusCode: 503")
	for name, tt := range map[string]struct {
		get  func(ctx context.Context) error
		want string // text of the error
	}{
		"time is over": {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "no credentials within 7s: no answer"},
		"the SDK's own time is over": {func(ctx context.Context) error {
			return &smithy.CanceledError{Err: attempt(ctx, context.DeadlineExceeded)}
		}, "no credentials within 1s: no answer"},
		"with a cause": {func(ctx context.Context) error {
			_ = attempt(ctx, refused)
			_ = attempt(ctx, context.Canceled)
			<-ctx.Done()
			return &aws.RequestCanceledError{Err: ctx.Err()}
		}, "no credentials within 7s: https response error StatusCode: 503"},
		"another error": {func(context.Context) error { return refused }, "https response error StatusCode: 503"},
	} {
		synctest.Test(t, func(t *testing.T) {
			_, err := within(t.Context(), time.Now(), localTime, func(ctx context.Context) (int, error) { return 0, tt.get(ctx) })
			failed := source{name: "instance metadata"}.failure(err)
			if err.Error() != tt.want || awserr.Classify(failed) != awserr.Credentials || !awserr.Fatal(failed) {
				t.Errorf("%s: got %v of class %q, want %q of class credentials", name, err, awserr.Classify(failed), tt.want)
			}
		})
	}
}

// TestCanceledStaysCanceled checks the error of a retrieval whose caller cancels the context.
func TestCanceledStaysCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ended := aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) { return aws.Credentials{}, ctx.Err() })
	a := &ambient{load: func(context.Context) (aws.CredentialsProvider, source, error) { return ended, source{}, nil }, clock: new(Clock), now: time.Now}
	_, err := a.grant(ctx, aws.Credentials{})
	if got := awserr.Classify(err); got != awserr.Canceled {
		t.Errorf("got class %q, want %q", got, awserr.Canceled)
	}
}

// attempt makes one request of a client fail with an error.
func attempt(ctx context.Context, err error) error {
	stack := middleware.NewStack("test", func() any { return nil })
	if err := attachBound(stack); err != nil {
		return err
	}
	_, _, err = middleware.DecorateHandler(middleware.HandlerFunc(func(ctx context.Context, _ any) (any, middleware.Metadata, error) {
		if _, ok := ctx.Deadline(); !ok {
			err = errors.New("the request has no end")
		}
		return nil, middleware.Metadata{}, err
	}), stack).Handle(context.WithoutCancel(ctx), nil)
	return err
}

// TestRegionOfTheMapping checks that the mapping's region is used if the environment sets none, for
// credentials from STS, with one session per region.
func TestRegionOfTheMapping(t *testing.T) {
	for name, tt := range map[string]struct {
		env    map[string]string
		shared bool
		want   string
	}{
		"web identity":               {map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:aws:iam::222222222222:role/pod"}, false, "eu-central-1"},
		"web identity with a region": {map[string]string{"AWS_WEB_IDENTITY_TOKEN_FILE": "/t", "AWS_ROLE_ARN": "arn:aws:iam::222222222222:role/pod", "AWS_REGION": "us-east-2"}, true, "us-east-2"},
		"container":                  {map[string]string{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for _, variable := range []string{"AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
				t.Setenv(variable, "")
			}
			t.Setenv("AWS_CONFIG_FILE", "/dev/null")
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
			for variable, value := range tt.env {
				t.Setenv(variable, value)
			}
			o := Options{Shared: new(Shared), Now: time.Now}
			b, err := load(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			one, other := b.ambient(o, "us-west-2"), b.ambient(o, "eu-central-1")
			if (one == other) != tt.shared || one != b.ambient(o, "us-west-2") {
				t.Errorf("got one session for two regions: %v, want %v", one == other, tt.shared)
			}
			region := "eu-central-1"
			if tt.want == "" {
				region = ""
			}
			loaded, err := b.again(t.Context(), region)
			if err != nil || loaded.Region != tt.want || strings.Contains(sourceOf(loaded).name, "/v2/") {
				t.Errorf("got region %q, source %q, %v, want %q", loaded.Region, sourceOf(loaded).name, err, tt.want)
			}
		})
	}
}

// TestSourceOfARoleWithARole checks that the source is named after the role of the profile, even if
// the role is assumed with the credentials of another profile.
func TestSourceOfARoleWithARole(t *testing.T) {
	for name, value := range map[string]string{"AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_PROFILE": "app", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_ACCESS_KEY_ID": ""} {
		t.Setenv(name, value)
	}
	for _, base := range []string{"role_arn = arn:aws:iam::222222222222:role/pod\nweb_identity_token_file = /token", "credential_process = /bin/false", "aws_access_key_id = A\naws_secret_access_key = s"} {
		file := filepath.Join(t.TempDir(), "config")
		text := "[profile app]\nrole_arn = arn:aws:iam::222222222222:role/app\nsource_profile = base\n[profile base]\n" + base + "\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("AWS_CONFIG_FILE", file)
		b, err := load(t.Context(), Options{Shared: new(Shared), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if got := sourceOf(b.config); got.name != "the role of profile app" || got.fixed || !got.regional(b.config) {
			t.Errorf("%s: got %+v, want the role of the profile, in the region of the mapping", base, got)
		}
	}
}
