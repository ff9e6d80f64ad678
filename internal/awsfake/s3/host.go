package s3

import (
	"cmp"
	"net"
	"net/http"
	"strings"
)

// hostName returns the host of a request without the port.
func hostName(r *http.Request) string {
	host := cmp.Or(r.Host, r.URL.Host)
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// bucketOfHost returns the bucket of a virtual-hosted-style request: "b.localhost",
// "b.s3.amazonaws.com" or "b.s3.us-west-2.amazonaws.com". It returns "" for path style.
func bucketOfHost(host string) string {
	if b, found := strings.CutSuffix(host, ".localhost"); found {
		return b
	}
	rest, aws := strings.CutSuffix(host, ".amazonaws.com")
	if !aws || rest == "s3" || strings.HasPrefix(rest, "s3.") {
		return ""
	}
	if i := strings.LastIndex(rest, ".s3"); i > 0 && (i+3 == len(rest) || rest[i+3] == '.') {
		return rest[:i]
	}
	return ""
}
