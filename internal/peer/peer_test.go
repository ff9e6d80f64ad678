package peer_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"syncd/internal/peer"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func head(t *testing.T, p *peer.Peer, header map[string]string) {
	t.Helper()
	client := s3.New(s3.Options{
		Region: "us-east-1", UsePathStyle: true, BaseEndpoint: aws.String("http://s3.invalid"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		APIOptions:  []func(*middleware.Stack) error{p.Attach},
		HTTPClient: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			h := http.Header{}
			for name, value := range header {
				h.Set(name, value)
			}
			return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Header: h, Request: r}, nil
		})},
	})
	_, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("b"), Key: aws.String("k")})
	if err == nil {
		t.Fatal("got no error, want a 404")
	}
}

// TestPeerIsLearntFromAnyAnswer checks that error responses are observed too, but only if they come
// from the service itself.
func TestPeerIsLearntFromAnyAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p peer.Peer
		now := time.Now()
		if there, ok := p.At(now); ok || !there.Equal(now) || p.Name() != "" {
			t.Errorf("got %s, %v and name %q before any answer", there, ok, p.Name())
		}
		ahead := now.Add(time.Hour).UTC().Format(http.TimeFormat)
		head(t, &p, map[string]string{"Date": ahead, "Server": "a proxy"}) // without a request id
		if _, ok := p.At(now); ok || p.Name() != "" {
			t.Errorf("got name %q of what is not the service", p.Name())
		}
		head(t, &p, map[string]string{"Date": ahead, "Server": "AmazonS3", "X-Amz-Request-Id": "1"})
		if there, ok := p.At(now); !ok || there.Sub(now).Round(time.Second) != time.Hour || p.Name() != "AmazonS3" {
			t.Errorf("got %s, %v and name %q, want an hour ahead", there.Sub(now), ok, p.Name())
		}
		time.Sleep(time.Minute)
		head(t, &p, map[string]string{"Date": now.UTC().Format(http.TimeFormat), "Age": "60", "X-Amz-Request-Id": "1"})
		head(t, &p, map[string]string{"X-Amz-Request-Id": "1"})
		if there, _ := p.At(now); there.Sub(now).Round(time.Second) != time.Hour || p.Name() != "AmazonS3" {
			t.Errorf("got %s and name %q, want what was learnt", there.Sub(now), p.Name())
		}
	})
}
