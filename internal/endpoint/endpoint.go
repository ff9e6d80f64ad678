// Package endpoint knows the base URLs that requests are sent to: what is a valid one, which
// service is there, and whether others can read what is sent.
//
// It promises that all spellings of one service have one name ([Service]), and that the answers
// about the network are those that net/http acts on. Which endpoint a side has, and what follows
// from it, is left to config. Nothing here looks a name up or connects.
//
// Two words: a service is a server that keeps objects, "" for AWS itself; an endpoint is exposed
// when what is sent to it crosses the network without TLS.
package endpoint

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

// Check says what is wrong with a base URL, or nothing. Its callers must not print the URL: it
// might hold a password.
func Check(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "is not an absolute http or https URL"
	case u.User != nil:
		return "holds a user name or password"
	case u.RawQuery != "" || u.Fragment != "":
		return "holds a query or fragment"
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }):
		return "holds a host that is not ASCII: write its form in Punycode"
	case !isPort(u.Port()):
		return "holds a port that is none"
	case namesBucket(u):
		return "names a bucket: S3's endpoints have neither a bucket before their host nor a path"
	}
	return ""
}

// Hint is a hint at a URL without its scheme, "" where that is not what is wrong or where something
// secret may be in it.
func Hint(s string) string {
	if strings.Contains(s, "://") || strings.ContainsAny(s, "@?# ") || Check("https://"+s) != "" || !strings.Contains(s, ".") {
		return ""
	}
	return "did you mean https://" + s + "?"
}

// isPort reports whether s is a port to connect to, or none.
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

// IsLoopback accepts the hosts that net/http never sends to a proxy
// ([net/http.ProxyFromEnvironment]), which knows localhost in lower case only.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Exposed reports whether what is sent to an endpoint URL crosses the network without TLS.
func Exposed(endpointURL string) bool {
	u, err := url.Parse(endpointURL)
	return err == nil && strings.EqualFold(u.Scheme, "http") && !IsLoopback(u.Hostname())
}
