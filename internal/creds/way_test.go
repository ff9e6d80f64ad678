package creds_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"syncd/internal/awserr"
	"syncd/internal/creds"
)

// tripper responds to requests, or fails them.
type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

func failing(err error) tripper {
	return func(*http.Request) (*http.Response, error) { return nil, err }
}

// page is a response from something that is not an AWS service.
func page(status int, header http.Header, text string) tripper {
	return func(r *http.Request) (*http.Response, error) {
		h := header.Clone()
		if h == nil {
			h = http.Header{"Content-Type": {"text/html; charset=utf-8"}}
		}
		return &http.Response{
			StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: h,
			ContentLength: int64(len(text)), Body: io.NopCloser(strings.NewReader(text)),
		}, nil
	}
}

// TestCauseOfWhatDoesNotGetThere checks the error for each way in which the environment can make a
// connection fail. It uses a role, for which STS is called first, and the ambient credentials. A
// permanent failure is reported immediately.
func TestCauseOfWhatDoesNotGetThere(t *testing.T) {
	const html = "<html><head><title>Access denied</title></head><body>blocked</body></html>"
	certificate := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	for _, tt := range []struct {
		name   string
		way    tripper
		class  awserr.Class // without a role
		within time.Duration
		text   string
		hint   string
	}{
		{"unknown authority", failing(certificate), awserr.Credentials, 0, "x509: certificate signed by unknown authority", "AWS_CA_BUNDLE"},
		{"another host's certificate", failing(x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"proxy"}}, Host: "aws.invalid"}), awserr.Credentials, 0, "certificate is valid for proxy, not aws.invalid", "endpoint_url"},
		{"expired certificate", failing(x509.CertificateInvalidError{Reason: x509.Expired}), awserr.Credentials, 0, "expired", "renew the certificate"},
		{"no TLS", failing(tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}), awserr.Credentials, 0, "TLS handshake", "scheme"},
		{"a header that cannot be", failing(errors.New(`net/http: invalid header field value for "Authorization"`)), awserr.Credentials, 0, "invalid header field", "line break"},
		{"unknown host", failing(&net.OpError{Op: "dial", Err: &net.DNSError{Name: "aws.invalid", Err: "no such host", IsNotFound: true}}), awserr.Credentials, 5 * time.Second, "the host name aws.invalid does not exist", "DNS"},
		{"unknown proxy", failing(&net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Err: &net.DNSError{Name: "prxy", Err: "no such host", IsNotFound: true}}}), awserr.Credentials, 5 * time.Second, "the proxy's host name prxy does not exist", "HTTPS_PROXY"},
		{"a proxy that refuses", failing(&awserr.ProxyError{Proxy: "http://proxy:3128", Status: 407}), awserr.Credentials, 0, "the proxy http://proxy:3128 refuses to connect: 407", "user:password"},
		{"connection refused", failing(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), awserr.Transient, time.Minute, "connection refused", "no server listens"},
		{"reset", failing(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), awserr.Transient, time.Minute, "connection reset", "breaks"},
		{"a page", page(200, nil, html), awserr.Transient, 5 * time.Second, "status 200, text/html without a request id", "aws.invalid"},
		{"a page that does not say what it is", page(200, http.Header{}, "<!DOCTYPE html><html><meta charset=utf-8><br></html>"), awserr.Transient, 5 * time.Second, "status 200 without a request id", "aws.invalid"},
		{"a refusal of a proxy", page(403, nil, html), awserr.Transient, 5 * time.Second, "status 403, text/html without a request id", "aws.invalid"},
		{"a refusal without words", page(403, http.Header{}, ""), awserr.Transient, 5 * time.Second, "status 403 without a request id", "aws.invalid"},
		{"a captive portal", page(302, http.Header{"Location": {"http://portal.example/login?u=1"}}, ""), awserr.Transient, 5 * time.Second, "redirects to http://portal.example", "aws.invalid"},
		{"a load balancer", page(502, nil, html), awserr.Transient, time.Minute, "status 502, text/html without a request id", "load balancer"},
	} {
		for _, role := range []string{"syncd", ""} {
			t.Run(tt.name+" "+role, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t)
					w.options.HTTPClient = &http.Client{Transport: tt.way, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
					began := time.Now()
					err := w.try(t, role)
					class := tt.class
					if role != "" {
						class = awserr.Credentials
					}
					if got := awserr.Classify(err); got != class || !strings.Contains(awserr.Brief(err), tt.text) {
						t.Errorf("got class %q of %q, want %q and %q", got, awserr.Brief(err), class, tt.text)
					}
					if hint := awserr.Hint(err); !strings.Contains(hint, tt.hint) {
						t.Errorf("got the hint %q, want %q in it", hint, tt.hint)
					}
					if took := time.Since(began); took > tt.within {
						t.Errorf("got it after %s, want it within %s", took, tt.within)
					}
				})
			})
		}
	}
}

// TestServiceWithoutIDs checks that a response with an error code counts as one of the service,
// even if an S3-compatible service sends no request ids and the code equals the text of the status.
func TestServiceWithoutIDs(t *testing.T) {
	for _, tt := range []struct {
		status        int
		code, message string
		want          awserr.Class
	}{
		{412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold", awserr.Precondition},
		{501, "NotImplemented", "A header you provided implies functionality that is not implemented", awserr.Unsupported},
		{405, "MethodNotAllowed", "The specified method is not allowed against this resource", awserr.Unsupported},
		{403, "AccessDenied", "Access Denied", awserr.Denied},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.options.HTTPClient = &http.Client{Transport: page(tt.status, http.Header{"Content-Type": {"application/xml"}},
				"<Error><Code>"+tt.code+"</Code><Message>"+tt.message+"</Message></Error>")}
			began := time.Now()
			err := w.try(t, "")
			if got := awserr.Classify(err); got != tt.want || !strings.HasPrefix(awserr.Brief(err), tt.code) || time.Since(began) > 0 {
				t.Errorf("got class %q of %q after %s, want %q at once", got, awserr.Brief(err), time.Since(began), tt.want)
			}
		})
	}
}

// TestEnvironmentThatCannotBeUsed checks that the error names the variable, and does not blame the
// credentials.
func TestEnvironmentThatCannotBeUsed(t *testing.T) {
	for _, tt := range []struct{ name, value, hint string }{
		{"AWS_CA_BUNDLE", "/no/such/file.pem", "PEM"},
		{"AWS_CA_BUNDLE", os.DevNull, "PEM"},
		{"HTTPS_PROXY", "http://me:ge%heim@proxy:3128", "%25"},
	} {
		alone(t)
		t.Setenv("https_proxy", "")
		t.Setenv(tt.name, tt.value)
		_, err := creds.New(t.Context(), creds.Options{})
		if !strings.HasPrefix(awserr.Brief(err), tt.name+": ") || !strings.Contains(awserr.Hint(err), tt.hint) || strings.Contains(awserr.Brief(err), "heim") {
			t.Errorf("%s of %s: got %q, hint %q", tt.name, tt.value, awserr.Brief(err), awserr.Hint(err))
		}
		t.Setenv(tt.name, "")
	}
}

// TestForeignAnswerNamesItsProxy checks that the error for a response from a proxy names the proxy
// and its environment variable.
func TestForeignAnswerNamesItsProxy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		here, there := net.Pipe()
		defer func() { _ = here.Close() }()
		go func() {
			_, _ = there.Read(make([]byte, 64<<10))
			_, _ = io.WriteString(there, "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nServer: squid\r\nContent-Length: 4\r\nConnection: close\r\n\r\n<p/>")
			_ = there.Close()
		}()
		proxy := &url.URL{Scheme: "http", Host: "proxy:3128", User: url.UserPassword("u", "geheim")}
		w.options.HTTPClient = &http.Client{Transport: &http.Transport{
			Proxy: http.ProxyURL(proxy), DialContext: func(context.Context, string, string) (net.Conn, error) { return here, nil },
		}}
		w.options.LookupEnv = func(name string) (string, bool) { return "http://u:geheim@proxy:3128", name == "http_proxy" }
		set := w.open(t)
		at, err := set.Config("", region)
		if err != nil {
			t.Fatal(err)
		}
		at.RetryMaxAttempts = 1
		err = list(t.Context(), s3.NewFromConfig(at, func(o *s3.Options) { o.UsePathStyle, o.BaseEndpoint = true, aws.String("http://aws.invalid") }))
		found, ok := errors.AsType[*awserr.ForeignError](err)
		if !ok || found.Proxy != "http://proxy:3128" || found.Variable != "http_proxy" || !strings.Contains(found.Hint(), "NO_PROXY") {
			t.Errorf("got %v, want the proxy and its variable", err)
		}
		if strings.Contains(err.Error(), "geheim") {
			t.Errorf("got %v, want no password", err)
		}
	})
}

// TestCredentialsWithALineBreak checks the error for credentials with a line break, as in a secret
// that was created with echo.
func TestCredentialsWithALineBreak(t *testing.T) {
	for name, provider := range map[string]aws.CredentialsProvider{
		"access key id":     credentials.NewStaticCredentialsProvider("AKIA1\n", "secret", ""),
		"secret access key": credentials.NewStaticCredentialsProvider("AKIA1", "secret\r\n", ""),
		"session token":     credentials.NewStaticCredentialsProvider("AKIA1", "secret", "token "),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.options.Ambient = provider
			refused := refusal(t, w.try(t, "syncd"))
			if !strings.Contains(refused.Error(), "the "+name+" contains a line break") || !strings.Contains(refused.Hint, "echo") || strings.Contains(refused.Error(), "secret\r") {
				t.Errorf("got %v, hint %q, want the faulty part in the error and a hint what to do", refused, refused.Hint)
			}
			if n := w.assumed(); n != 0 {
				t.Errorf("got %d requests, want none", n)
			}
		})
	}
}

// TestDeadlineOfTheSDKIsNotOurs checks that the SDK's own deadline for credentials is distinguished
// from the end of our context.
func TestDeadlineOfTheSDKIsNotOurs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is retried
		w := newWorld(t)
		w.options.Ambient = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, &smithy.CanceledError{Err: context.DeadlineExceeded}
		})
		if refused := refusal(t, w.try(t, "")); refused.Hint == "" {
			t.Errorf("got %v without a hint", refused)
		}
	})
	w := newWorld(t)
	ended, cancel := context.WithCancel(t.Context())
	w.options.Ambient = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		cancel()
		return aws.Credentials{}, &smithy.CanceledError{Err: context.Canceled}
	})
	if err := list(ended, w.client(t, w.open(t), "")); awserr.Classify(err) != awserr.Canceled {
		t.Errorf("got class %q for %v, want %q for the end of the caller's context", awserr.Classify(err), err, awserr.Canceled)
	}
}
