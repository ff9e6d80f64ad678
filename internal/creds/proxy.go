package creds

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/awserr"
)

// route decides which requests use the proxy of the environment. Requests to this machine or to a
// link-local address never use it: they get credentials, and a proxy, which is another machine,
// would see the pod's token and respond itself. The same applies to credential endpoints without
// TLS, whatever their name.
type route struct {
	direct []string // hosts of credential endpoints
}

// learn records the credential endpoints set by the environment and the profile. It is called
// before the first request.
func (r *route) learn(loaded aws.Config) {
	env, shared := configured(loaded)
	r.add(env.EC2IMDSEndpoint, env.ContainerCredentialsEndpoint, shared.EC2IMDSEndpoint)
}

func (r *route) add(endpoints ...string) {
	for _, endpoint := range endpoints {
		if at, err := url.Parse(endpoint); err == nil && at.Scheme == "http" {
			r.direct = append(r.direct, strings.ToLower(at.Host))
		}
	}
}

// proxy returns the proxy for a request, or nil if it needs none.
func (r *route) proxy(request *http.Request) (*url.URL, error) {
	if onLink(request.URL.Hostname()) || slices.Contains(r.direct, strings.ToLower(request.URL.Host)) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(request)
}

// checkProxies rejects proxy variables with an invalid URL. Package http would ignore such a value
// and connect directly, or use a part of it as the proxy's name. The error does not show the value:
// it may contain a password, whose special characters are the usual cause.
func checkProxies(getenv func(name string) string) error {
	for _, names := range [][]string{{"HTTPS_PROXY", "https_proxy"}, {"HTTP_PROXY", "http_proxy"}} {
		for _, name := range names {
			value := getenv(name)
			if value == "" {
				continue
			}
			if !isProxy(value) {
				return &awserr.SettingError{
					Name: name, Problem: "it is not a valid proxy URL",
					Hint: "write it as http://user:password@host:port, with % # / ? and @ in user and password percent-encoded (%25 %23 %2F %3F %40)",
				}
			}
			break // if the upper-case variable is set, http does not read the lower-case one
		}
	}
	return nil
}

func isProxy(value string) bool {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	at, err := url.Parse(value)
	return err == nil && at.Hostname() != "" && slices.Contains([]string{"http", "https", "socks5", "socks5h"}, at.Scheme)
}

// onLink reports whether a host is this machine or a link-local address. AWS uses fd00:ec2::/32 for
// the IPv6 addresses of its link-local services: instance metadata (fd00:ec2::254) and the
// credentials of EKS Pod Identity (fd00:ec2::23).
func onLink(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	return ip.IsLoopback() || ip.IsLinkLocalUnicast() || netip.MustParsePrefix("fd00:ec2::/32").Contains(ip)
}
