package signature_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

func TestCredentialsAreVerified(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	session := w.Assume(t, nil)
	token, err := session.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name                     string
		config                   aws.Config
		wantS3, wantSTS, wantKMS string
	}{
		{"valid user", w.UserConfig(w.Base), "", "", ""},
		{"valid session", session, "", "", ""},
		{"wrong secret", w.Config(w.Base.AccessKeyID, "wrong", ""), "SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException"},
		{"unknown key", w.Config("AKIAUNKNOWN", "x", ""), "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException"},
		{"session without token", w.Config(token.AccessKeyID, token.SecretAccessKey, ""), "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"},
		{"session with another token", w.Config(token.AccessKeyID, token.SecretAccessKey, "x"), "InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := awsfaketest.S3Client(tt.config).ListBuckets(t.Context(), &s3.ListBucketsInput{})
			if got := awsfaketest.Code(err); got != tt.wantS3 {
				t.Errorf("S3: got %q, want %q", got, tt.wantS3)
			}
			_, err = sts.NewFromConfig(tt.config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			if got := awsfaketest.Code(err); got != tt.wantSTS {
				t.Errorf("STS: got %q, want %q", got, tt.wantSTS)
			}
			_, err = awsfaketest.KMSClient(tt.config).ListKeys(t.Context(), &kms.ListKeysInput{})
			if got := awsfaketest.Code(err); got != tt.wantKMS {
				t.Errorf("KMS: got %q, want %q", got, tt.wantKMS)
			}
		})
	}
}

func TestSessionExpires(t *testing.T) {
	var clock awsfaketest.ManualClock
	clock.Store(time.Now().UnixNano())
	w := awsfaketest.New(t, awsfake.Options{Now: clock.Now})
	session := w.Assume(t, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(900) })
	list := func() string {
		_, err := awsfaketest.S3Client(session).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data")})
		return awsfaketest.Code(err)
	}
	clock.Advance(899 * time.Second)
	if got := list(); got != "" {
		t.Errorf("before the end: got %q", got)
	}
	clock.Advance(time.Second)
	if got := list(); got != "ExpiredToken" {
		t.Errorf("at the end: got %q, want ExpiredToken", got)
	}
}

func TestRevokedRole(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	session := w.Assume(t, nil)
	w.Role.Revoke()
	_, err := awsfaketest.S3Client(session).ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data")})
	if got := awsfaketest.Code(err); got != "ExpiredToken" {
		t.Errorf("got %q, want ExpiredToken", got)
	}
}

func TestSignatureCoversTheRequest(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("key", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	session := w.Assume(t, nil)
	tests := []struct {
		name   string
		tamper func(*http.Request)
		want   string
	}{
		{"untouched", func(*http.Request) {}, ""},
		{"another key", func(r *http.Request) { r.URL.Path = "/owner-data/kez" }, "SignatureDoesNotMatch"},
		{"another method", func(r *http.Request) { r.Method = http.MethodDelete }, "SignatureDoesNotMatch"},
		{"another query", func(r *http.Request) { r.URL.RawQuery = "versionId=1" }, "SignatureDoesNotMatch"},
		{"another value of a signed header", func(r *http.Request) { r.Header.Set("X-Amz-Checksum-Mode", "DISABLED") }, "SignatureDoesNotMatch"},
		{"an unsigned header added", func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public-read") }, "AccessDenied"},
		{"another host", func(r *http.Request) { r.Host = "s3.eu-west-1.amazonaws.com" }, "SignatureDoesNotMatch"},
		{"a date too far in the past", func(r *http.Request) { shiftDate(r, -16*time.Minute) }, "RequestTimeTooSkewed"},
		{"no signature", func(r *http.Request) { r.Header.Del("Authorization") }, "AccessDenied"},
		{"an incomplete signature", func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b") }, "AuthorizationHeaderMalformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := awsfaketest.SignedRequest(t, session, http.MethodGet, "https://s3.us-west-2.amazonaws.com/owner-data/key", map[string]string{"X-Amz-Checksum-Mode": "ENABLED"})
			tt.tamper(r)
			if got := awsfaketest.RoundTrip(t, w, r).Code; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// shiftDate changes the date of a signed request. Verify checks the date before the signature.
func shiftDate(r *http.Request, d time.Duration) {
	at := time.Now().Add(d).UTC()
	old := r.Header.Get("X-Amz-Date")
	r.Header.Set("X-Amz-Date", at.Format("20060102T150405Z"))
	r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), "/"+old[:8]+"/", "/"+at.Format("20060102")+"/"))
}

func TestPresignedRequests(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("a b+c", awsfake.BytesBody([]byte("signed ahead")), awsfake.PutOptions{})
	for _, tt := range []struct {
		name, change, want string
	}{
		{"unchanged", "", "200 signed ahead"},
		{"another key", "a%20b%2Bd", "403 SignatureDoesNotMatch"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := s3.NewPresignClient(awsfaketest.S3Client(w.Assume(t, nil))).PresignGetObject(t.Context(),
				&s3.GetObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("a b+c")})
			if err != nil {
				t.Fatal(err)
			}
			url := p.URL
			if tt.change != "" {
				url = strings.Replace(url, "a%20b%2Bc", tt.change, 1)
			}
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := awsfaketest.RoundTrip(t, w, r).String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRegions(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	c := w.UserConfig(w.Owner.AdminUser())
	c.Region = "eu-west-1"
	for _, tt := range []struct {
		name, host, want string
		status           int
	}{
		{"the Region's own endpoint", "s3.eu-west-1.amazonaws.com", "PermanentRedirect", 301},
		{"the bucket's endpoint with another Region's signature", "s3.us-west-2.amazonaws.com", "AuthorizationHeaderMalformed", 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := awsfaketest.SignedRequestFor(t, c, "eu-west-1", http.MethodGet, "https://"+tt.host+"/owner-data?list-type=2", nil)
			got := awsfaketest.RoundTrip(t, w, r)
			if got.Code != tt.want || got.Status != tt.status || got.Header.Get("X-Amz-Bucket-Region") != awsfaketest.Region {
				t.Errorf("got %d %s, bucket Region %q; want %d %s", got.Status, got.Code, got.Header.Get("X-Amz-Bucket-Region"), tt.status, tt.want)
			}
		})
	}
}

func TestAWSHostNames(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("k", awsfake.BytesBody([]byte("v")), awsfake.PutOptions{})
	session := w.Assume(t, nil)
	for _, url := range []string{
		"https://owner-data.s3.us-west-2.amazonaws.com/k", "https://s3.us-west-2.amazonaws.com/owner-data/k",
		"https://owner-data.s3.amazonaws.com/k", "http://owner-data.localhost:9000/k", "http://127.0.0.1:9000/owner-data/k",
	} {
		r := awsfaketest.SignedRequest(t, session, http.MethodGet, url, nil)
		if got := awsfaketest.RoundTrip(t, w, r).String(); got != "200 v" {
			t.Errorf("%s: got %q", url, got)
		}
	}
}
