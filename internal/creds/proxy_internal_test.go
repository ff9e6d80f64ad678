package creds

import (
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// proxied is the variable that marks the subprocess with a proxy: net/http reads the proxy
// variables only once per process.
const proxied = "SYNCD_TEST_PROXIED"

// TestProxyIsForOthers checks which requests of each client use a proxy that the environment sets
// for everything.
func TestProxyIsForOthers(t *testing.T) {
	if os.Getenv(proxied) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyIsForOthers$")
		cmd.Env = append(os.Environ(), proxied+"=1", "HTTP_PROXY=http://proxy.invalid:3128", "HTTPS_PROXY=http://proxy.invalid:3128", "NO_PROXY=", "no_proxy=",
			"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_PROFILE=",
			"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://metadata.example.net:8080", "AWS_CONTAINER_CREDENTIALS_FULL_URI=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v:\n%s", err, out)
		}
		return
	}
	b, err := load(t.Context(), Options{Shared: new(Shared)})
	if err != nil {
		t.Fatal(err)
	}
	again, err := b.again(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, transport := range map[string]*http.Transport{"services": transportOf(t, b.HTTPClient), "credentials": transportOf(t, again.HTTPClient)} {
		for target, want := range map[string]bool{
			"http://169.254.170.2/v2/credentials/1": false, "http://169.254.170.23/v1/credentials": false, "http://[fd00:ec2::23]/v1/credentials": false,
			"http://169.254.169.254/latest": false, "http://[fd00:ec2::254]/latest": false, "https://169.254.1.1:8443/": false, "http://[fe80::1%25eth0]/": false,
			"http://[::ffff:169.254.170.2]/": false, "http://127.9.9.9:80/": false, "http://[::1]:9000/": false, "http://LOCALHOST:9000/": false,
			"http://localhost.:9000/": false, "http://minio.localhost/": false, "http://metadata.example.net:8080/latest": false,
			"http://metadata.example.net/latest": true, "http://169.253.1.1/": true, "http://[fd00:ec3::23]/": true, "https://s3.us-west-2.amazonaws.com/": true,
			"https://sts.us-west-2.amazonaws.com/": true, "http://minio.storage.svc:9000/": true, "http://10.0.0.1/": true, "http://localhost.example.net/": true,
		} {
			at, err := url.Parse(target)
			if err != nil {
				t.Fatal(err)
			}
			via, err := transport.Proxy(&http.Request{URL: at})
			if err != nil || (via != nil) != want {
				t.Errorf("%s: %s: got proxy %v, %v, want a proxy: %v", name, target, via, err, want)
			}
		}
	}
}

// transportOf returns the transport of a client.
func transportOf(t *testing.T, client aws.HTTPClient) *http.Transport {
	t.Helper()
	switch c := client.(type) {
	case *awshttp.BuildableClient:
		return c.GetTransport()
	case *http.Client:
		if inner, ok := c.Transport.(http11); ok {
			if transport, ok := inner.next.(*http.Transport); ok {
				return transport
			}
		}
	}
	t.Fatalf("got a client of type %T", client)
	return nil
}

// TestProxyThatIsNone checks which values of a proxy variable are rejected. Package http would
// ignore these values, or use a part of the value as the proxy's name.
func TestProxyThatIsNone(t *testing.T) {
	for value, want := range map[string]bool{
		"": true, "proxy:3128": true, "http://proxy:3128": true, "https://me:ge%23heim@proxy": true, "socks5h://proxy:1080": true, "10.0.0.1:3128": true, "[fd00::1]:3128": true,
		"http://me:ge%heim@proxy:3128": false, "http://me:ge#heim@proxy:3128": false, "http://me:ge/heim@proxy:3128": false, "http://me:ge?heim@proxy:3128": false,
		"http://proxy:31 28": false, "http://": false, "socks4://proxy:1080": false,
	} {
		for _, name := range []string{"HTTPS_PROXY", "http_proxy"} {
			err := checkProxies(func(asked string) string {
				if asked == name {
					return value
				}
				return ""
			})
			if (err == nil) != want || err != nil && (strings.Contains(err.Error(), "heim") || !strings.HasPrefix(err.Error(), name+": ")) {
				t.Errorf("%s=%q: got %v, want it accepted: %v", name, value, err, want)
			}
		}
	}
}
