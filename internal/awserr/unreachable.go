package awserr

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ProxyError is a proxy's refusal to connect.
type ProxyError struct {
	// Proxy is the proxy without its password, and Status its response to CONNECT.
	Proxy  string
	Status int
}

// Error names the proxy and its response.
func (e *ProxyError) Error() string {
	return "the proxy " + e.Proxy + " refuses to connect: " + strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)
}

// unknownHostGrace is how long lookups of an unknown host name are retried: the resolver may not be
// ready when the process starts.
const unknownHostGrace = 5 * time.Second

// InGrace reports whether a request with this error is retried once a second, for only a few
// seconds. An error that lasts longer is treated as permanent.
func InGrace(err error) bool {
	if unknown, ok := errors.AsType[*net.DNSError](err); ok {
		return unknown.IsNotFound
	}
	answer, ok := errors.AsType[*ForeignError](err)
	return ok && answer.works()
}

// Unreachable returns why retrying cannot reach an endpoint, and what to do: an invalid
// certificate, a request with an invalid header, a refusal by a proxy, or a host name that still
// does not exist. The parameter since is how long ago the request began. Both results are "" for
// other errors. The caller adds service and endpoint.
func Unreachable(err error, since time.Duration) (problem, hint string) {
	if problem, hint = untrusted(err); problem != "" {
		return problem, hint
	}
	if refused, ok := errors.AsType[*ProxyError](err); ok {
		switch {
		case refused.Status == http.StatusProxyAuthRequired:
			return refused.Error(), "it requires credentials: add them to the URL in HTTPS_PROXY, as in http://user:password@host"
		case refused.Status < http.StatusInternalServerError:
			return refused.Error(), "allow the host in the proxy of HTTPS_PROXY, or add the host to NO_PROXY"
		}
		return "", ""
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound && since >= unknownHostGrace {
		if ofProxy(err) {
			return "the proxy's host name " + unknown.Name + " does not exist: " + unknown.Error(), "check the host in HTTPS_PROXY or HTTP_PROXY, and that this machine's DNS can resolve it"
		}
		return "the host name " + unknown.Name + " does not exist: " + unknown.Error(),
			"check region and endpoint_url, and that this machine's DNS can resolve the name; a service without a host name for each bucket needs path_style: true"
	}
	// For other headers, the invalid value may be the metadata of a single object, and one object
	// must not stop the mapping.
	if m := badHeader.FindStringSubmatch(errorText(err)); m != nil && (m[1] == "Authorization" || m[1] == "X-Amz-Security-Token") {
		return m[0], "the credentials contain a line break or another character that is invalid in a header: write the secret without it, for example with printf instead of echo"
	}
	return "", ""
}

// untrusted explains invalid certificates and missing TLS.
func untrusted(err error) (problem, hint string) {
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return unknown.Error(), "the certificate is from an authority that this machine does not trust, such as that of a TLS-inspecting proxy or a private service: " +
			"set AWS_CA_BUNDLE to a file with the authority's certificate; the file replaces the system's certificates, so add those that other services need"
	}
	if other, ok := errors.AsType[x509.HostnameError](err); ok {
		return other.Error(), "the certificate is for another host: check endpoint_url, and whether a proxy or a gateway responds instead of the service; " +
			"for a bucket with dots in its name set path_style: true"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return invalid.Error(), "renew the certificate, or correct this machine's clock"
		}
		return invalid.Error(), "replace the certificate"
	}
	if broken, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return broken.Error(), "the server does not use TLS: check the scheme and the port of endpoint_url and HTTPS_PROXY"
	}
	if errors.Is(err, http.ErrSchemeMismatch) || strings.Contains(errorText(err), "server gave HTTP response to HTTPS client") {
		return "it responds to HTTPS without TLS", "check the scheme and the port of endpoint_url and HTTPS_PROXY"
	}
	if failed, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return failed.Error(), "set AWS_CA_BUNDLE to a file with the certificate of its authority, or replace the certificate"
	}
	return "", ""
}
