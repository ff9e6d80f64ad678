package endpoint

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"syncd/internal/awsname"
)

// The parts of S3's own host names: regional and global endpoints, including dual-stack, FIPS and
// transfer acceleration, and interface endpoints ("Amazon S3 endpoints and quotas", AWS General
// Reference; "AWS PrivateLink for Amazon S3", Amazon S3 User Guide).
const (
	s3Variant   = `(?:-fips|-accelerate|-external-1)?(?:\.dualstack)?(?:[.-][a-z]{2,4}(?:-[a-z]+)+-[0-9]+)?`
	s3Interface = `vpce-[0-9a-z-]+\.s3\.[a-z0-9-]+\.vpce`
)

var (
	// s3Hosts matches the host names of S3's own endpoints. The domain alone would not be enough,
	// because other hosts, such as load balancers, have names in the same domains.
	s3Hosts = regexp.MustCompile(`^(?:s3` + s3Variant + `|(?:(?:bucket|accesspoint|control)\.)?` + s3Interface + `)` + awsDomain())
	// s3BucketHosts matches the host names of buckets and access points at S3's own endpoints
	// ("Virtual hosting of general purpose buckets" and "Accessing Amazon S3 general purpose
	// buckets through access points", Amazon S3 User Guide).
	s3BucketHosts = regexp.MustCompile(`^.+\.(?:s3(?:-accesspoint)?` + s3Variant + `|accesspoint\.s3-global|(?:bucket|accesspoint)\.` + s3Interface + `)` + awsDomain())
	// stsHosts matches the host names of STS's own endpoints.
	stsHosts = regexp.MustCompile(`^sts(?:-fips)?(?:\.[a-z0-9-]+)*` + awsDomain())
	// regionInHost matches the region in the host name of an S3 endpoint.
	regionInHost = regexp.MustCompile(`[a-z]{2,4}(?:-[a-z]+)+-[0-9]+\b`)
)

// awsDomain returns the part of a pattern that matches the domain of an AWS host.
func awsDomain() string {
	return `\.(?:` + strings.ReplaceAll(strings.Join(awsname.Domains(), "|"), ".", `\.`) + `)$`
}

// IsSTS reports whether an endpoint URL is an AWS STS endpoint.
func IsSTS(endpointURL string) bool {
	u, err := url.Parse(endpointURL)
	return err == nil && stsHosts.MatchString(canonicalHost(strings.ToLower(u.Hostname())))
}

// IsS3 reports whether an endpoint URL is an Amazon S3 endpoint.
func IsS3(endpointURL string) bool { return endpointURL != "" && Service(endpointURL) == "" }

// Region returns the region in the host name of an S3 endpoint, or "".
func Region(endpointURL string) string {
	u, err := url.Parse(endpointURL)
	if err != nil {
		return ""
	}
	return regionInHost.FindString(strings.ToLower(u.Hostname()))
}

// namesBucket reports whether an Amazon S3 endpoint contains a bucket in its host or path. Requests
// would then not use the configured bucket.
func namesBucket(u *url.URL) bool {
	host := canonicalHost(strings.ToLower(u.Hostname()))
	return s3BucketHosts.MatchString(host) || s3Hosts.MatchString(host) && strings.Trim(u.Path, "/") != ""
}

// Service returns the name of the service at an endpoint URL: "" for AWS itself and for an empty
// URL, otherwise the host, with its port and path if they are not the defaults. All spellings of
// one service have the same name, and Service(Service(x)) is Service(x). TLS does not change the
// name, and all loopback and unspecified addresses are one service.
func Service(endpointURL string) string {
	at, err := url.Parse(strings.ToLower(endpointURL))
	if err != nil || at.Scheme == "" || at.Host == "" {
		if at, err = url.Parse("//" + strings.ToLower(endpointURL)); err != nil || at.Host == "" {
			return endpointURL
		}
	}
	host := canonicalHost(at.Hostname())
	if s3Hosts.MatchString(host) {
		return ""
	}
	if port := canonicalPort(at.Port()); port != "" && port != usualPort(at.Scheme) {
		host += ":" + port
	}
	return host + strings.TrimRight(at.Path, "/")
}

// canonicalHost returns the canonical spelling of a host: names without a trailing dot, IP
// addresses as in RFC 5952, and localhost for every loopback address.
func canonicalHost(host string) string {
	host = strings.TrimRight(host, ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761, section 6.3
		return "localhost"
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return host
	case ip.Unmap().IsLoopback(), ip.Unmap().IsUnspecified():
		return "localhost"
	case ip.Unmap().Is4():
		return ip.Unmap().String()
	default:
		return "[" + ip.String() + "]"
	}
}

// canonicalPort returns a port without leading zeros.
func canonicalPort(port string) string {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return port
	}
	return strconv.FormatUint(n, 10)
}

// usualPort returns the default port of a scheme. The name of a service has no scheme, so a port in
// it is never a default.
func usualPort(scheme string) string {
	return map[string]string{"http": "80", "https": "443"}[scheme]
}
