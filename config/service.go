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
