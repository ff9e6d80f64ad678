package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Hosts are the host names under which the pages are served, in addition to IP addresses and
// localhost. A malicious site can make its own host name resolve to this address (DNS rebinding),
// but the requests of its pages then carry that host name.
type Hosts []string

// allow reports whether pages are served under the given host. A trailing dot is ignored.
func (h Hosts) allow(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil || host == "" || host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	return slices.ContainsFunc(h, func(name string) bool { return strings.EqualFold(strings.TrimSuffix(name, "."), host) })
}

// guard serves pages if the request has an allowed host, and responds with 421 otherwise (RFC 9110,
// section 15.5.20).
func (h Hosts) guard(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.allow(r.Host) {
			plain(w, http.StatusMisdirectedRequest, "this host is not one of http.hosts\n")
			return
		}
		pages.ServeHTTP(w, r)
	})
}
