// Package endpoint examines the base URLs that requests are sent to: whether a URL is valid, which
// service it belongs to, and whether requests are sent without TLS.
//
// All spellings of one service have the same name ([Service]). [IsLoopback] and [Exposed] treat a
// host as this machine only if net/http never uses a proxy for it. Package config decides which
// endpoint a side uses. This package never resolves names or connects.
//
// Two terms: a service is a server that stores objects, "" for AWS itself; an endpoint is exposed
// if requests to it cross the network without TLS.
package endpoint

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Check returns what is wrong with a base URL, or "". Callers must not print the URL: it may
// contain a password.
func Check(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "is not an absolute http or https URL"
	case u.User != nil:
		return "contains a user name or password"
	case u.RawQuery != "" || u.Fragment != "":
		return "contains a query or fragment"
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }):
		return "contains a host that is not ASCII: write it in Punycode"
	case !isPort(u.Port()):
		return "contains an invalid port"
	case namesBucket(u):
		return "names a bucket: an S3 endpoint contains no bucket in its host, and no path"
	}
	return ""
}

// Hint returns a hint for a URL whose only fault is a missing scheme. It returns "" if something
// else is wrong or the URL could contain a secret.
func Hint(s string) string {
	if strings.Contains(s, "://") || strings.ContainsAny(s, "@?# ") || Check("https://"+s) != "" || !strings.Contains(s, ".") {
		return ""
	}
	return "did you mean https://" + s + "?"
}

// isPort reports whether s is empty or a valid port.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}

// IsAddress reports whether the host of a URL is an IP address.
func IsAddress(endpointURL string) bool {
	u, err := url.Parse(endpointURL)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err == nil
}

// IsLoopback reports whether host is this machine. It accepts only hosts for which net/http never
// uses a proxy ([net/http.ProxyFromEnvironment]), which includes localhost only in lower case.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Exposed reports whether requests to an endpoint URL cross the network without TLS.
func Exposed(endpointURL string) bool {
	u, err := url.Parse(endpointURL)
	return err == nil && strings.EqualFold(u.Scheme, "http") && !IsLoopback(u.Hostname())
}
