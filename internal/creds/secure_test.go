package creds_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/config"
	"syncd/internal/awserr"
	"syncd/internal/creds"
)

// heard counts what was sent to which host.
type heard map[string]int

func (h heard) RoundTrip(r *http.Request) (*http.Response, error) {
	h[r.URL.Scheme+"://"+r.URL.Host]++
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// TestPlainHTTP has endpoints without TLS, from the configuration and from elsewhere, of S3 and of STS.
func TestPlainHTTP(t *testing.T) {
	const far, near = "http://minio.storage.svc:9000", "http://127.0.0.1:9000"
	role := func(endpoint string) map[string]config.Role {
		return map[string]config.Role{"r": {ARN: "arn:aws:iam::222222222222:role/r", SessionName: "syncd", EndpointURL: endpoint}}
	}
	for name, tt := range map[string]struct {
		env     map[string]string
		options creds.Options
		base    string // of the S3 client, as the configuration has it; "" for none
		sent    string // to where a request went, "" for nowhere
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
				t.Errorf("got requests %s, want them at %q alone; %v", got, tt.sent, err)
			}
			if refused := awserr.Classify(err) == awserr.Credentials && strings.Contains(awserr.Brief(err), "send to "); tt.sent == "" && !refused {
				t.Errorf("got class %q, %v, want the endpoint refused", awserr.Classify(err), err)
			}
		})
	}
}

// TestEnvironmentIsKnown has the endpoints of the environment by their service.
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
