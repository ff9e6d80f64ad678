package s3

import (
	"net"
	"net/http"
	"strings"
)

// bucketOfHost is the bucket of a virtual-host style request: "b.localhost", "b.s3.amazonaws.com" or
// "b.s3.us-west-2.amazonaws.com"; "" for path style.
func bucketOfHost(r *http.Request) string {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
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
