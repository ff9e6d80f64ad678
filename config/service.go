package config

import (
	"cmp"
	"net/url"
	"regexp"
	"strings"
)

// s3Hosts matches the names of S3's own endpoints, of a region or of none, also dual-stack, FIPS and transfer acceleration, and
// those of interface endpoints ("Amazon S3 endpoints and quotas", AWS General Reference; "AWS PrivateLink for Amazon S3",
// Amazon S3 User Guide). Other machines have names under the same domains, such as load balancers.
var s3Hosts = regexp.MustCompile(`^(?:` +
	`s3(?:-fips|-accelerate)?(?:\.dualstack)?(?:[.-][a-z]{2,4}(?:-[a-z]+)+-[0-9]+)?` + `|` +
	`(?:(?:bucket|accesspoint|control)\.)?vpce-[0-9a-z-]+\.s3\.[a-z0-9-]+\.vpce` +
	`)\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|c2s\.ic\.gov|sc2s\.sgov\.gov)$`)

// Service names the service that requests go to which are sent to the endpoint URL of a side, or to aws.endpoint_url where
// the side has none. All spellings of one service have the same name: "" for AWS itself, and else the host, with its port and
// path where they are not the usual ones. TLS makes no other service of it.
func (c *Config) Service(endpointURL string) string {
	return ServiceOf(cmp.Or(endpointURL, c.AWS.EndpointURL))
}

// ServiceOf names the service at an endpoint URL, "" at none, as Service does. What is no URL names itself, and so does a name.
func ServiceOf(endpointURL string) string {
	at, err := url.Parse(strings.ToLower(endpointURL))
	if err != nil || at.Scheme == "" || at.Host == "" {
		return endpointURL
	}
	host := strings.TrimSuffix(at.Hostname(), ".")
	if s3Hosts.MatchString(host) {
		return ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := at.Port(); port != "" && port != usualPort(at.Scheme) {
		host += ":" + port
	}
	return host + strings.TrimRight(at.Path, "/")
}

func usualPort(scheme string) string {
	if scheme == "http" {
		return "80"
	}
	return "443"
}

// Relayed reports whether a mapping's content passes through this process: the service copies by itself only for one
// principal that may read the source and write the destination, and within one service.
func (c *Config) Relayed(m Mapping) bool {
	switch m.Copy.Mode {
	case CopyModeServerSide:
		return false
	case CopyModeRelay:
		return true
	case CopyModeAuto:
	}
	return m.Source.Role != m.Destination.Role || c.Service(m.Source.EndpointURL) != c.Service(m.Destination.EndpointURL)
}
