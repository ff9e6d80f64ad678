package endpoint

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"syncd/internal/awsname"
)

// The parts of S3's own host names: an endpoint of a region or of none, also dual-stack, FIPS and
// transfer acceleration, and an interface endpoint ("Amazon S3 endpoints and quotas", AWS General
// Reference; "AWS PrivateLink for Amazon S3", Amazon S3 User Guide).
const (
	s3Variant   = `(?:-fips|-accelerate|-external-1)?(?:\.dualstack)?(?:[.-][a-z]{2,4}(?:-[a-z]+)+-[0-9]+)?`
	s3Interface = `vpce-[0-9a-z-]+\.s3\.[a-z0-9-]+\.vpce`
)

var (
	// s3Hosts matches the names of S3's own endpoints. Other machines have names under the same
	// domains, such as load balancers.
	s3Hosts = regexp.MustCompile(`^(?:s3` + s3Variant + `|(?:(?:bucket|accesspoint|control)\.)?` + s3Interface + `)` + awsDomain())
	// s3BucketHosts matches the names of a bucket or an access point at S3's own endpoints
	// ("Virtual hosting of general purpose buckets" and "Accessing Amazon S3 general purpose
	// buckets through access points", Amazon S3 User Guide).
	s3BucketHosts = regexp.MustCompile(`^.+\.(?:s3(?:-accesspoint)?` + s3Variant + `|accesspoint\.s3-global|(?:bucket|accesspoint)\.` + s3Interface + `)` + awsDomain())
	// stsHosts matches the names of STS's own endpoints.
	stsHosts = regexp.MustCompile(`^sts(?:-fips)?(?:\.[a-z0-9-]+)*` + awsDomain())
	// regionInHost matches the region in the name of an endpoint of S3.
	regionInHost = regexp.MustCompile(`[a-z]{2,4}(?:-[a-z]+)+-[0-9]+\b`)
)

// awsDomain matches the domain at the end of a host of AWS.
func awsDomain() string {
	return `\.(?:` + strings.ReplaceAll(strings.Join(awsname.Domains(), "|"), ".", `\.`) + `)$`
}

// IsSTS reports whether an endpoint URL is STS's own.
func IsSTS(endpointURL string) bool {
	u, err := url.Parse(endpointURL)
	return err == nil && stsHosts.MatchString(canonicalHost(strings.ToLower(u.Hostname())))
}

// IsS3 reports whether an endpoint URL is S3's own.
func IsS3(endpointURL string) bool { return endpointURL != "" && Service(endpointURL) == "" }

// Region returns the region in the name of an endpoint of S3, "" where it has none.
func Region(endpointURL string) string {
	u, err := url.Parse(endpointURL)
	if err != nil {
		return ""
	}
	return regionInHost.FindString(strings.ToLower(u.Hostname()))
}

// namesBucket reports whether an endpoint at S3 itself has a bucket in its host or its path, so
// that what follows is not in the bucket of the setting next to it.
func namesBucket(u *url.URL) bool {
	host := canonicalHost(strings.ToLower(u.Hostname()))
	return s3BucketHosts.MatchString(host) || s3Hosts.MatchString(host) && strings.Trim(u.Path, "/") != ""
}

// Service names the service at an endpoint URL: "" for AWS itself and at none, and else the host,
// with its port and path where they are not the usual ones. All spellings of one service have the
// same name, and a name stands for itself. TLS makes no other service of it, and all addresses of
// this machine are one.
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

// canonicalHost is one spelling of a host for all: names without the dot at their end, addresses as
// RFC 5952 writes them, and localhost for every loopback address.
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

// canonicalPort is a port without zeros before it.
func canonicalPort(port string) string {
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return port
	}
	return strconv.FormatUint(n, 10)
}

// usualPort is the port of a scheme; a name of a service has none, and the port in it is an unusual
// one.
func usualPort(scheme string) string {
	return map[string]string{"http": "80", "https": "443"}[scheme]
}
