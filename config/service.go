package config

import (
	"cmp"

	"syncd/internal/awsname"
	"syncd/internal/endpoint"
)

// Service names the service that requests go to which are sent to the endpoint URL of a side, or to aws.endpoint_url where
// the side has none. All spellings of one service have the same name: "" for AWS itself, and else the host, with its port and
// path where they are not the usual ones. TLS makes no other service of it, and all addresses of this machine are one.
func (c *Config) Service(endpointURL string) string {
	return endpoint.Service(cmp.Or(endpointURL, c.AWS.EndpointURL))
}

// compatible reports whether the service at an endpoint URL is another than AWS: there accounts, regions and keys may have
// another form, or be none.
func (c *Config) compatible(endpointURL string) bool { return c.Service(endpointURL) != "" }

// area is within what a bucket's name stands for one bucket: a service, or a partition of AWS.
func (c *Config) area(endpointURL, region string) string {
	return cmp.Or(c.Service(endpointURL), awsname.Partition(region))
}

// Relayed reports whether a mapping's content passes through this process: the service copies by itself only for one
// principal that may read the source and write the destination, within one service, and from an access point within one region.
func (c *Config) Relayed(m Mapping) bool {
	switch m.Copy.Mode {
	case CopyModeServerSide:
		return false
	case CopyModeRelay:
		return true
	case CopyModeAuto:
	}
	return m.Source.Role != m.Destination.Role || c.Service(m.Source.EndpointURL) != c.Service(m.Destination.EndpointURL) || crossesFromAccessPoint(m)
}

// crossesFromAccessPoint reports whether a copy would go from an access point to another region, which S3 does not do by itself
// ("Access point compatibility", Amazon S3 User Guide).
func crossesFromAccessPoint(m Mapping) bool {
	_, isPoint := m.Source.AccessPoint()
	return isPoint && m.Source.Region != m.Destination.Region
}
