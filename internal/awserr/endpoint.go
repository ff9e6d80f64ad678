package awserr

import (
	"net/url"
	"slices"
	"strings"

	"syncd/internal/awsname"
)

// EndpointOf is the scheme and the host of a URL: what messages show of it. Its user, path and
// query may be secrets.
func EndpointOf(at *url.URL) string { return at.Scheme + "://" + at.Host }

// isAWS reports whether a host is one of AWS's own.
func isAWS(host string) bool {
	host, _, _ = strings.Cut(host, ":")
	return slices.ContainsFunc(awsname.Domains(), func(domain string) bool {
		return strings.HasSuffix(host, "."+domain)
	})
}

func hostOf(text string) string {
	at, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return at.Host
}
