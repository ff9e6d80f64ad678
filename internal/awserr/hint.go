package awserr

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// Hint returns one sentence about what to do about an error that is not caused by a policy or a
// setting of a mapping, or "" if there is no advice.
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

// hintOfCode returns a hint about rejected credentials or a wrong clock.
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

// IsClock reports whether a refusal with this code and text is caused by a wrong clock.
func IsClock(code, text string) bool {
	return code == "RequestTimeTooSkewed" || strings.Contains(text, "Signature not yet current") || strings.Contains(text, "Signature expired")
}

// hintOfConnection returns a hint about a connection that could not be made, or that broke.
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

// ofProxy reports whether the connection to a proxy failed.
func ofProxy(err error) bool { return strings.Contains(errorText(err), "proxyconnect") }
