package endpoint_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"syncd/internal/endpoint"
)

// TestService checks several spellings of each service.
func TestService(t *testing.T) {
	t.Parallel()
	for name, spellings := range map[string][]string{
		"": {
			"", "https://s3.amazonaws.com", "https://s3.us-east-1.amazonaws.com/", "https://S3.US-EAST-1.amazonaws.com:443",
			"https://s3-us-west-2.amazonaws.com", "https://s3.dualstack.eu-west-1.amazonaws.com", "https://s3-fips.us-gov-west-1.amazonaws.com",
			"https://s3-fips.dualstack.us-east-1.amazonaws.com", "https://s3-accelerate.amazonaws.com", "https://s3-accelerate.dualstack.amazonaws.com",
			"https://s3.cn-north-1.amazonaws.com.cn", "https://bucket.vpce-1a2b3c4d-5e6f.s3.us-east-1.vpce.amazonaws.com",
			"https://s3-external-1.amazonaws.com", "https://s3.eu-isoe-west-1.cloud.adc-e.uk", "https://s3.us-isof-south-1.csp.hci.ic.gov",
			"https://s3.us-iso-east-1.c2s.ic.gov", "https://s3.eusc-de-east-1.amazonaws.eu", "https://s3-us-gov-west-1.amazonaws.com",
			"https://vpce-1a2b3c4d-5e6f-us-east-1a.s3.us-east-1.vpce.amazonaws.com", "https://s3.us-east-1.amazonaws.com.",
		},
		"minio.example:9000": {
			"http://minio.example:9000", "https://minio.example:9000/", "HTTP://MinIO.Example:9000", "http://minio.example.:9000//",
			"minio.example:9000", // its own name
		},
		"minio.example":      {"http://minio.example", "https://minio.example:443", "http://minio.example:80/", "minio.example"},
		"minio.example:443":  {"http://minio.example:443"},
		"gateway.example/s3": {"https://gateway.example/s3", "https://gateway.example/s3/"},
		"localhost:9000": {
			"http://[::1]:9000", "http://[::1]:9000/", "http://127.0.0.1:9000", "http://localhost:9000", "http://LOCALHOST.:09000", "http://127.1.2.3:9000",
			"http://[0:0:0:0:0:0:0:1]:9000", "http://[::ffff:127.0.0.1]:9000", "http://0.0.0.0:9000", "http://s3.localhost:9000", "localhost:9000",
		},
		"[fd00::1]:9000":             {"http://[fd00::1]:9000", "http://[FD00:0:0::0001]:9000"},
		"192.0.2.1:9000":             {"http://192.0.2.1:9000", "http://[::ffff:192.0.2.1]:9000"},
		"s3.eu-central-1.wasabi.com": {"https://s3.eu-central-1.wasabi.com"},
		// Customers' machines with host names assigned by AWS.
		"s3-proxy-1.us-east-1.elb.amazonaws.com":                 {"https://s3-proxy-1.us-east-1.elb.amazonaws.com"},
		"ec2-198-51-100-1.compute-1.amazonaws.com:9000":          {"http://ec2-198-51-100-1.compute-1.amazonaws.com:9000"},
		"s3.us-east-1.amazonaws.com.evil.example":                {"https://s3.us-east-1.amazonaws.com.evil.example"},
		"vpce-1a2b-5e6f.vpce-svc-1.us-east-1.vpce.amazonaws.com": {"https://vpce-1a2b-5e6f.vpce-svc-1.us-east-1.vpce.amazonaws.com"},
	} {
		for _, spelling := range spellings {
			if got := endpoint.Service(spelling); got != name {
				t.Errorf("%q: got service %q, want %q", spelling, got, name)
			}
			if again := endpoint.Service(endpoint.Service(spelling)); again != endpoint.Service(spelling) {
				t.Errorf("%q: its name %q names %q", spelling, endpoint.Service(spelling), again)
			}
		}
	}
}

// TestExposedAsProxiesSee checks endpoints on this machine: one that net/http would reach through a
// proxy counts as exposed.
func TestExposedAsProxiesSee(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.example:3128")
	for at, exposed := range map[string]bool{
		"http://localhost:9000": false, "http://127.0.0.1:9000": false, "http://[::1]:9000": false, "http://[::ffff:127.0.0.1]:9000": false,
		"http://LOCALHOST:9000": true, "http://Localhost:9000": true, "http://localhost.:9000": true, "http://127.0.0.1.:9000": true,
		"http://0.0.0.0:9000": true,
	} {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
		if got := endpoint.Exposed(at); got != exposed || !got && proxy != nil {
			t.Errorf("%s: got exposed %v and proxy %v, %v; want exposed %v", at, got, proxy, err, exposed)
		}
	}
}

func TestCheck(t *testing.T) {
	for url, want := range map[string]string{
		"https://s3.example.net": "", "http://[::1]:9000/s3": "", "https://s3.us-west-2.amazonaws.com": "",
		"s3.example.net": "is not an absolute", "ftp://s3.example.net": "is not an absolute", "https://": "is not an absolute", "https://a:b@s3.example.net": "user name or password",
		"https://s3.example.net?a=b": "query or fragment", "https://bücher.example": "is not ASCII", "https://s3.example.net:99999": "contains an invalid port",
		"https://bucket.s3.us-west-2.amazonaws.com": "names a bucket", "https://s3.us-west-2.amazonaws.com/bucket": "names a bucket",
	} {
		if got := endpoint.Check(url); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
	}
	for url, want := range map[string]string{
		"minio.example.net:9000": "did you mean https://minio.example.net:9000?", "minio": "", "a@minio.example.net": "", "https://minio.example.net": "", "minio.example.net:x": "",
	} {
		if got := endpoint.Hint(url); got != want {
			t.Errorf("%s: got hint %q, want %q", url, got, want)
		}
	}
}

func TestNamesOfAWS(t *testing.T) {
	for url, want := range map[string]struct {
		s3, sts, address bool
		region           string
	}{
		"https://s3.eu-west-1.amazonaws.com":  {s3: true, region: "eu-west-1"},
		"https://sts.us-east-1.amazonaws.com": {sts: true, region: "us-east-1"},
		"https://STS.amazonaws.com":           {sts: true},
		"http://192.0.2.1:9000":               {address: true},
		"http://[::1]:9000":                   {address: true},
		"https://minio.example.net":           {},
		"":                                    {},
	} {
		if endpoint.IsS3(url) != want.s3 || endpoint.IsSTS(url) != want.sts || endpoint.IsAddress(url) != want.address || endpoint.Region(url) != want.region {
			t.Errorf("%s: got S3 %v, STS %v, address %v, region %q", url, endpoint.IsS3(url), endpoint.IsSTS(url), endpoint.IsAddress(url), endpoint.Region(url))
		}
	}
}
