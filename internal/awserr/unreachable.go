package awserr

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ProxyError is a proxy's refusal to connect.
type ProxyError struct {
	// Proxy is the proxy without its password, Status what it answered to CONNECT.
	Proxy  string
	Status int
}

// Error names the proxy and its answer.
func (e *ProxyError) Error() string {
	return "the proxy " + e.Proxy + " refuses to connect: " + strconv.Itoa(e.Status) + " " + http.StatusText(e.Status)
}

// unknownHostGrace is how long a name that does not exist is asked for again: where a process has just started, its resolver may not
// be ready.
const unknownHostGrace = 5 * time.Second

// InGrace reports whether an error is one that is given a few seconds to pass, and no more: for such, a request is sent again every
// second.
func InGrace(err error) bool {
	if unknown, ok := errors.AsType[*net.DNSError](err); ok {
		return unknown.IsNotFound
	}
	answer, ok := errors.AsType[*ForeignError](err)
	return ok && answer.works()
}

// badHeader is how net/http refuses a header that cannot be sent.
var badHeader = regexp.MustCompile(`net/http: invalid header field (?:name|value for) "([^"]*)"`)

// Unreachable returns why an endpoint cannot be reached by trying again, and what to do: a certificate that does not hold, a request that
// HTTP cannot carry, a proxy that refuses, a name that has not existed since the request was made so long ago. Both are "" for everything
// else. The caller adds service and endpoint.
func Unreachable(err error, since time.Duration) (problem, hint string) {
	if problem, hint = untrusted(err); problem != "" {
		return problem, hint
	}
	if refused, ok := errors.AsType[*ProxyError](err); ok {
		switch {
		case refused.Status == http.StatusProxyAuthRequired:
			return refused.Error(), "it asks for credentials: write them into the URL of HTTPS_PROXY, as http://user:password@host"
		case refused.Status < http.StatusInternalServerError:
			return refused.Error(), "have the proxy of HTTPS_PROXY let the host through, or name the host in NO_PROXY"
		}
		return "", ""
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok && unknown.IsNotFound && since >= unknownHostGrace {
		if ofProxy(err) {
			return "the name " + unknown.Name + " of the proxy does not exist: " + unknown.Error(), "check the host in HTTPS_PROXY or HTTP_PROXY, and that this machine's DNS knows it"
		}
		return "the name " + unknown.Name + " does not exist: " + unknown.Error(),
			"check region and endpoint_url, and that this machine's DNS knows the name; a service without a name for each bucket needs path_style: true"
	}
	// Of any other header an object may be the cause, which stops no mapping.
	if m := badHeader.FindStringSubmatch(errorText(err)); m != nil && (m[1] == "Authorization" || m[1] == "X-Amz-Security-Token") {
		return m[0], "the credentials hold a line break or another character that no header can have: write the secret without one, as with printf instead of echo"
	}
	return "", ""
}

// ofProxy reports whether it is the connection to a proxy that was not made.
func ofProxy(err error) bool { return strings.Contains(errorText(err), "proxyconnect") }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// untrusted explains certificates that do not hold, and the lack of TLS.
func untrusted(err error) (problem, hint string) {
	if unknown, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return unknown.Error(), "the certificate is of an authority that this machine does not know, as that of a proxy which inspects TLS or of an own service: " +
			"set AWS_CA_BUNDLE to a file with the authority's certificate, and with those of the system where other services need them: it stands in their place"
	}
	if other, ok := errors.AsType[x509.HostnameError](err); ok {
		return other.Error(), "the certificate is another host's: check endpoint_url, and whether a proxy or a gateway answers in the service's place; " +
			"for a bucket with dots in its name set path_style: true"
	}
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		if invalid.Reason == x509.Expired {
			return invalid.Error(), "have the certificate renewed, or set this machine's clock"
		}
		return invalid.Error(), "have the certificate replaced"
	}
	if broken, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return broken.Error(), "what answers there does not speak TLS: check the scheme and the port of endpoint_url and HTTPS_PROXY"
	}
	if errors.Is(err, http.ErrSchemeMismatch) || strings.Contains(errorText(err), "server gave HTTP response to HTTPS client") {
		return "it answers HTTPS without TLS", "check the scheme and the port of endpoint_url and HTTPS_PROXY"
	}
	if failed, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return failed.Error(), "set AWS_CA_BUNDLE to a file with the certificate of its authority, or have the certificate replaced"
	}
	return "", ""
}

// Hint says in one sentence what to do about an error that no policy and no setting of a mapping explains; "" where there is nothing to
// say.
func Hint(err error) string {
	if c, ok := errors.AsType[*CredentialsError](err); ok {
		return c.Hint
	}
	if expired, ok := errors.AsType[*ExpiredError](err); ok {
		return expired.Hint
	}
	if endpoint, ok := errors.AsType[*EndpointError](err); ok {
		return endpoint.Hint
	}
	if setting, ok := errors.AsType[*SettingError](err); ok {
		return setting.Hint
	}
	if answer, ok := errors.AsType[*ForeignError](err); ok {
		return answer.Hint()
	}
	if hint := hintOfCode(Code(err), errorText(err)); hint != "" {
		return hint
	}
	return hintOfConnection(err)
}

// hintOfCode says what to do about credentials that a service does not take, and about a clock.
func hintOfCode(code, text string) string {
	if IsClock(code, text) {
		return "the clock of this machine differs from that of AWS by more than 15 minutes: set it"
	}
	switch code {
	case "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException":
		return "the access key does not exist any more, is inactive, or is of another service or partition: give the process another one"
	case "SignatureDoesNotMatch":
		return "the secret access key is not that of the access key id, or something on the way changes requests: write both again"
	case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired":
		return "the credentials have expired: give the process fresh ones"
	default:
		return ""
	}
}

// IsClock reports whether a refusal, by its code and its text, is one of the clock.
func IsClock(code, text string) bool {
	return code == "RequestTimeTooSkewed" || strings.Contains(text, "Signature not yet current") || strings.Contains(text, "Signature expired")
}

// IsAway reports whether nothing that belongs to the service has answered: other requests to the same place would fare alike.
func IsAway(err error) bool {
	if c, ok := errors.AsType[*CredentialsError](err); ok {
		return IsAway(c.Err)
	}
	if endpoint, ok := errors.AsType[*EndpointError](err); ok {
		return endpoint.Unreachable
	}
	if _, ok := errors.AsType[*ForeignError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*TimeoutError](err); ok {
		return true
	}
	return Classify(err) == Transient && Code(err) == ""
}

func hostOf(text string) string {
	at, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return at.Host
}

// hintOfConnection says what to do about a connection that was not made, or that broke.
func hintOfConnection(err error) string {
	text := errorText(err)
	if _, ok := errors.AsType[*ProxyError](err); ok || ofProxy(err) {
		return "look at the proxy that HTTPS_PROXY or HTTP_PROXY names, and name hosts in NO_PROXY that need none"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "check region and endpoint_url, and this machine's DNS"
	}
	if strings.Contains(text, "connection refused") {
		if failed, ok := errors.AsType[*url.Error](err); ok && isAWS(hostOf(failed.URL)) {
			return "AWS does take connections there: look at DNS, VPC endpoints, firewalls and proxies on the way"
		}
		return "nothing listens there: check host and port of endpoint_url, and that the service is up"
	}
	if strings.Contains(text, "i/o timeout") || strings.Contains(text, "no route to host") || strings.Contains(text, "network is unreachable") {
		return "no connection is made: check the way there, as security groups, routes, VPC endpoints and proxies"
	}
	late, isLate := errors.AsType[*TimeoutError](err)
	if isLate && late.Unsent {
		return "what gives this process its credentials does not answer: look at the metadata or credential endpoint of the container or the instance"
	}
	if isLate && late.isMute() {
		return "the connection is made and nothing comes: look at what is between this machine and the service, as a proxy, a firewall or a load balancer"
	}
	if strings.Contains(text, "connection reset") || strings.Contains(text, "EOF") {
		return "the connection breaks: look at what is between this machine and the service, as a proxy, a firewall or a load balancer"
	}
	return ""
}
