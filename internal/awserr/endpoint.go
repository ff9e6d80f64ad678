package awserr

import (
	"net/url"
	"slices"
	"strings"

	"syncd/internal/awsname"
)

// EndpointOf returns the scheme and the host of a URL for messages. The user, path and query are
// left out because they may be secret.
func EndpointOf(at *url.URL) string { return at.Scheme + "://" + at.Host }

// isAWS reports whether a host belongs to AWS.
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
