package web

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Hosts are the names under which the pages for people are served, besides IP addresses and
// localhost. A page of somebody else's that a browser has open may have its own name lead here (DNS
// rebinding): such a request names that host.
type Hosts []string

// allow reports whether pages are served to a request that names that host. A dot at the end of
// either means the same name.
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

// guard serves pages to requests that name an allowed host, and 421 to others (RFC 9110, section
// 15.5.20).
func (h Hosts) guard(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.allow(r.Host) {
			plain(w, http.StatusMisdirectedRequest, "this host is not one of http.hosts\n")
			return
		}
		pages.ServeHTTP(w, r)
	})
}
