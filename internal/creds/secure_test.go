package creds_test

import (
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/internal/awserr"
	"syncd/internal/creds"
)

// heard counts requests by host.
type heard map[string]int

func (h heard) RoundTrip(r *http.Request) (*http.Response, error) {
	h[r.URL.Scheme+"://"+r.URL.Host]++
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestPlainHTTP checks which S3 and STS endpoints without TLS are allowed, from the configuration
// and from the environment.
func TestPlainHTTP(t *testing.T) {
	const far, near = "http://minio.storage.svc:9000", "http://127.0.0.1:9000"
	role := func(endpoint string) map[string]config.Role {
		return map[string]config.Role{"r": {ARN: "arn:aws:iam::222222222222:role/r", SessionName: "syncd", EndpointURL: endpoint}}
	}
	for name, tt := range map[string]struct {
		env     map[string]string
		options creds.Options
		base    string // endpoint of the S3 client in the configuration; "" for none
		sent    string // where the request was sent, "" if it was not
	}{
		"S3, configured":                      {nil, creds.Options{PlainHTTP: []string{far}}, far, far},
		"S3, configured in capitals":          {nil, creds.Options{PlainHTTP: []string{strings.ToUpper(far)}}, far, far},
		"S3, configured for all":              {nil, creds.Options{EndpointURL: far}, far, far},
		"S3, on this machine, configured":     {nil, creds.Options{PlainHTTP: []string{near}}, near, near},
		"S3, of another port":                 {nil, creds.Options{PlainHTTP: []string{"http://minio.storage.svc:9001"}}, far, ""},
		"S3, of a name that ends so":          {nil, creds.Options{PlainHTTP: []string{"http://storage.svc:9000"}}, "http://evilstorage.svc:9000", ""},
		"S3, from the environment":            {map[string]string{"AWS_ENDPOINT_URL_S3": far}, creds.Options{}, "", ""},
		"S3, from the environment, for all":   {map[string]string{"AWS_ENDPOINT_URL": near}, creds.Options{AllowHTTP: true}, "", ""},
		"S3, from the environment, with TLS":  {map[string]string{"AWS_ENDPOINT_URL": "https://s3.example.net"}, creds.Options{}, "", "https://s3.example.net"},
		"STS, far":                            {nil, creds.Options{EndpointURL: far, Roles: role("")}, far, ""},
		"STS, far, of the role":               {nil, creds.Options{PlainHTTP: []string{far}, Roles: role(far)}, far, ""},
		"STS, far, allowed":                   {nil, creds.Options{EndpointURL: far, Roles: role(""), AllowHTTP: true}, far, far},
		"STS, near":                           {nil, creds.Options{EndpointURL: near, Roles: role("")}, near, near},
		"STS, from the environment":           {map[string]string{"AWS_ENDPOINT_URL_STS": near}, creds.Options{Roles: role(""), AllowHTTP: true}, "", ""},
		"STS, from the environment, with TLS": {map[string]string{"AWS_ENDPOINT_URL_STS": "https://sts.example.net"}, creds.Options{Roles: role("")}, "", "https://sts.example.net"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // a bubble, because an unsent request is retried
				alone(t)
				for key, value := range tt.env {
					t.Setenv(key, value)
				}
				sent := heard{}
				tt.options.HTTPClient = &http.Client{Transport: sent}
				tt.options.Ambient = credentials.NewStaticCredentialsProvider("id", "key", "")
				set, err := creds.New(t.Context(), tt.options)
				if err != nil {
					t.Fatal(err)
				}
				who := ""
				if tt.options.Roles != nil {
					who = "r"
				}
				c, err := set.Config(who, region)
				if err != nil {
					t.Fatal(err)
				}
				client := s3.NewFromConfig(c, func(o *s3.Options) {
					o.UsePathStyle, o.RetryMaxAttempts = true, 1
					if tt.base != "" {
						o.BaseEndpoint = &tt.base
					}
				})
				_, err = client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("data")})
				if got := fmt.Sprint(sent); tt.sent == "" && len(sent) > 0 || tt.sent != "" && (len(sent) != 1 || sent[strings.ToLower(tt.sent)] == 0) {
					t.Errorf("got requests %s, want them only at %q; %v", got, tt.sent, err)
				}
				if refused := awserr.Classify(err) == awserr.Credentials && strings.Contains(awserr.Brief(err), "send to "); tt.sent == "" && !refused {
					t.Errorf("got class %q, %v, want the endpoint refused", awserr.Classify(err), err)
				}
			})
		})
	}
}

// TestEnvironmentIsKnown checks that Environment returns, for each service, the endpoint that the
// environment variables set.
func TestEnvironmentIsKnown(t *testing.T) {
	alone(t)
	t.Setenv("AWS_ENDPOINT_URL", "https://all.example.net")
	t.Setenv("AWS_ENDPOINT_URL_STS", "https://sts.example.net")
	set, err := creds.New(t.Context(), creds.Options{Ambient: credentials.NewStaticCredentialsProvider("id", "key", "")})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"S3": "https://all.example.net", "STS": "https://sts.example.net"}
	if got := set.Environment(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// serviceAccount sets up an environment with a role that is assumed with a service account token,
// and an STS endpoint.
func serviceAccount(t *testing.T, endpoint string) {
	t.Helper()
	alone(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte(tokenText), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_ENDPOINT_URL_STS", endpoint)
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::222222222222:role/pod")
	t.Setenv("AWS_REGION", region)
}

const tokenText = "the-token-of-a-service-account"

// ambientOf retrieves the ambient credentials.
func ambientOf(t *testing.T) error {
	t.Helper()
	set, err := creds.New(t.Context(), creds.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.Config("", region)
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Credentials.Retrieve(t.Context())
	return err
}

// TestAmbientCredentialsOverPlainHTTP checks that a service account token is not sent without TLS
// to an endpoint set by the environment.
func TestAmbientCredentialsOverPlainHTTP(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	serviceAccount(t, server.URL)
	if err := ambientOf(t); awserr.Classify(err) != awserr.Credentials || asked.Load() != 0 {
		t.Errorf("got %d requests, %v, want none", asked.Load(), err)
	}
}

// TestAmbientAnswerWithoutEnd checks that an endless response of STS to a token is rejected.
func TestAmbientAnswerWithoutEnd(t *testing.T) {
	var sent atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		block := []byte(strings.Repeat("x", 1<<20))
		for range 64 {
			n, err := w.Write(block)
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	serviceAccount(t, server.URL)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	err := ambientOf(t)
	server.Close()
	if err == nil || sent.Load() == 0 || sent.Load() > 48<<20 {
		t.Errorf("got %d bytes sent, then %v, want an error after few bytes", sent.Load(), err)
	}
}
