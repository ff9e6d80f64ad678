package creds

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// route decides which requests go through the proxy of the environment. What is on this machine or on its link never does: that is where
// credentials come from, and a proxy is another machine, which would see the token of the pod and answer for itself. The same holds for
// endpoints of credentials without TLS, whatever they are called.
type route struct {
	direct []string // hosts of endpoints of credentials
}

// learn takes what the environment and the profile say of endpoints of credentials. It is called before the first request.
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

// proxy returns the proxy of a request, nil for none.
func (r *route) proxy(request *http.Request) (*url.URL, error) {
	if onLink(request.URL.Hostname()) || slices.Contains(r.direct, strings.ToLower(request.URL.Host)) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(request)
}

// onLink reports whether a host is this machine or on its link. fd00:ec2::/32 is where AWS has the IPv6 forms of its link-local services:
// the metadata of instances (fd00:ec2::254) and the credentials of EKS Pod Identity (fd00:ec2::23).
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
