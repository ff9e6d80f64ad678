package deadline_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/deadline"
)

type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// lister returns a func that lists a bucket with a client that retries almost forever.
func lister(t tripper) func(context.Context) error {
	client := s3.New(s3.Options{
		Region: "us-west-2", HTTPClient: &http.Client{Transport: t}, Credentials: credentials.NewStaticCredentialsProvider("AK", "SK", ""),
		RetryMaxAttempts: 1000, APIOptions: nil,
	}, s3.WithAPIOptions(deadline.Attach))
	return func(ctx context.Context) error {
		_, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("b")})
		return err
	}
}

func refuse(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

func hang(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestDoNamesTheCause checks the errors of requests that time out after failing repeatedly, after
// failing once and then getting no response, and without any response.
func TestDoNamesTheCause(t *testing.T) {
	once := 0
	for name, tt := range map[string]struct {
		tripper tripper
		want    string
	}{
		"refused": {refuse, "no answer from https://s3.us-west-2.amazonaws.com within 30s: send to https://s3.us-west-2.amazonaws.com: dial tcp: connection refused"},
		"refused, then mute": {func(r *http.Request) (*http.Response, error) {
			if once++; once > 1 {
				return hang(r)
			}
			return refuse(r)
		}, "no answer from https://s3.us-west-2.amazonaws.com within 30s: send to https://s3.us-west-2.amazonaws.com: dial tcp: connection refused"},
		"mute": {hang, "no answer from https://s3.us-west-2.amazonaws.com within 30s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := deadline.Do(t.Context(), 30*time.Second, lister(tt.tripper))
				if got := fmt.Sprint(err); got != tt.want || awserr.Classify(err) != awserr.Transient || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("got %q of class %q, want %q", got, awserr.Classify(err), tt.want)
				}
				if took := time.Since(began); took != 30*time.Second {
					t.Errorf("got it after %s, want 30s", took)
				}
			})
		})
	}
}

// TestDoOfARequestInside checks that only its own limit ends a nested request, such as AssumeRole
// during an S3 request, and that the outer limit is paused while the nested request runs.
func TestDoOfARequestInside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		err := deadline.Do(t.Context(), 10*time.Second, func(ctx context.Context) error {
			inner := deadline.Do(ctx, time.Minute, lister(refuse))
			if got := fmt.Sprint(inner); !strings.Contains(got, "within 1m0s: ") || !strings.HasSuffix(got, "connection refused") {
				t.Errorf("got %q, want the inner limit with its cause", got)
			}
			return lister(hang)(ctx)
		})
		if got, took := fmt.Sprint(err), time.Since(began); !strings.Contains(got, "within 10s") || took != 70*time.Second {
			t.Errorf("got %q after %s, want the outer limit after both", got, took)
		}
	})
}

// TestDoWithoutCredentials checks that the error says that nothing was sent.
func TestDoWithoutCredentials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := s3.New(s3.Options{
			Region: "us-west-2", HTTPClient: &http.Client{Transport: tripper(refuse)},
			Credentials: aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
				<-ctx.Done()
				return aws.Credentials{}, ctx.Err()
			}),
		}, s3.WithAPIOptions(deadline.Attach))
		err := deadline.Do(t.Context(), time.Minute, func(ctx context.Context) error {
			_, err := client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("b")})
			return err
		})
		if got := fmt.Sprint(err); got != "no credentials to sign a request within 1m0s" || awserr.Classify(err) != awserr.Credentials || awserr.Hint(err) == "" {
			t.Errorf("got %q of class %q, hint %q", got, awserr.Classify(err), awserr.Hint(err))
		}
	})
}

// TestDoLeavesOtherErrors checks that Do reports no timeout if send fails for another reason, if
// the caller's context ends, or if send succeeds.
func TestDoLeavesOtherErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := errors.New("lease lost")
		err := deadline.Do(t.Context(), time.Second, func(ctx context.Context) error {
			<-ctx.Done()
			return lost
		})
		if !errors.Is(err, lost) {
			t.Errorf("got %v, want what was returned", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err = deadline.Do(ctx, time.Minute, lister(hang))
		if _, ok := errors.AsType[*awserr.TimeoutError](err); ok || err == nil {
			t.Errorf("got %v, want the error of the caller's context", err)
		}
		if err := deadline.Do(t.Context(), time.Second, func(context.Context) error { return nil }); err != nil {
			t.Error(err)
		}
	})
}

// TestPauseStopsTheTime checks that two nested time limits do not end a request if a pause lasts
// longer than both limits.
func TestPauseStopsTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := func(ctx context.Context) error {
			resume := deadline.Pause(ctx)
			time.Sleep(time.Hour)
			resume()
			return ctx.Err()
		}
		err := deadline.Do(t.Context(), time.Minute, func(ctx context.Context) error { return deadline.Do(ctx, time.Second, wait) })
		if err != nil {
			t.Errorf("got %v, want no time to have passed", err)
		}
	})
}
