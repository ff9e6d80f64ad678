package awserr

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// Hint returns one sentence that says what to do about an error, or "" if there is no advice. It
// covers errors that are not caused by a policy or by a setting of a mapping.
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
		return "the clock of this machine differs from AWS by more than 15 minutes: correct it"
	}
	switch code {
	case "InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException":
		return "the access key was deleted, is inactive, or belongs to another service or partition: give the process a valid one"
	case "SignatureDoesNotMatch":
		return "the secret access key does not match the access key id, or something on the network changes requests: enter both again"
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
		return "check the proxy in HTTPS_PROXY or HTTP_PROXY, and add hosts that need no proxy to NO_PROXY"
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "check region and endpoint_url, and this machine's DNS"
	}
	if strings.Contains(text, "connection refused") {
		if failed, ok := errors.AsType[*url.Error](err); ok && isAWS(hostOf(failed.URL)) {
			return "AWS endpoints accept connections, so something on the way refused: check DNS, VPC endpoints, firewalls and proxies"
		}
		return "no server listens at this address: check the host and the port of endpoint_url, and that the service is running"
	}
	if strings.Contains(text, "i/o timeout") || strings.Contains(text, "no route to host") || strings.Contains(text, "network is unreachable") {
		return "the connection could not be made: check security groups, routes, VPC endpoints and proxies on the way"
	}
	late, isLate := errors.AsType[*TimeoutError](err)
	if isLate && late.Unsent {
		return "the source of this process's credentials does not respond: check the metadata or credentials endpoint of the container or the instance"
	}
	if isLate && late.isMute() {
		return "the connection is open but nothing arrives: check proxies, firewalls and load balancers between this machine and the service"
	}
	if strings.Contains(text, "connection reset") || strings.Contains(text, "EOF") {
		return "the connection breaks: check proxies, firewalls and load balancers between this machine and the service"
	}
	return ""
}

// ofProxy reports whether the connection to a proxy failed.
func ofProxy(err error) bool { return strings.Contains(errorText(err), "proxyconnect") }
