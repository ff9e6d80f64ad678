package config

import (
	"cmp"

	"syncd/internal/awsname"
	"syncd/internal/endpoint"
	"syncd/internal/transfer"
)

// Service returns the name of the service at a side's endpoint URL, or at aws.endpoint_url if the
// side has none. All spellings of one service have the same name: "" for AWS, otherwise the host,
// with its port and path if they are not the defaults. TLS does not change the name, and all
// addresses of this machine are one service.
func (c *Config) Service(endpointURL string) string {
	return endpoint.Service(c.endpoint(endpointURL))
}

// compatible reports whether an endpoint URL belongs to a service other than AWS, where accounts,
// regions and keys may be missing or have another form.
func (c *Config) compatible(endpointURL string) bool { return c.Service(endpointURL) != "" }

// areaOf returns the scope in which the place's bucket name is unique: a service, or a partition of
// AWS.
func areaOf(p transfer.Place) string { return cmp.Or(p.Service(), awsname.Partition(p.Region)) }
