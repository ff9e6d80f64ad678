package config_test

import (
	"net/http"
	"net/url"
	"testing"

	"syncd/config"
)

// TestExposedAsProxiesSee has endpoints on this machine: those that net/http sends to a proxy cross the network.
func TestExposedAsProxiesSee(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.example:3128")
	for endpoint, exposed := range map[string]bool{
		"http://localhost:9000": false, "http://127.0.0.1:9000": false, "http://[::1]:9000": false, "http://[::ffff:127.0.0.1]:9000": false,
		"http://LOCALHOST:9000": true, "http://Localhost:9000": true, "http://localhost.:9000": true, "http://127.0.0.1.:9000": true,
		"http://0.0.0.0:9000": true,
	} {
		u, err := url.Parse(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
		if got := config.Exposed(endpoint); got != exposed || !got && proxy != nil {
			t.Errorf("%s: got exposed %v and proxy %v, %v; want exposed %v", endpoint, got, proxy, err, exposed)
		}
	}
}
