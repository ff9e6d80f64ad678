package config

import (
	"cmp"

	"syncd/internal/awsname"
	"syncd/internal/endpoint"
	"syncd/internal/transfer"
)

// Service names the service that requests go to which are sent to the endpoint URL of a side, or to
// aws.endpoint_url where the side has none. All spellings of one service have the same name: "" for
// AWS itself, and else the host, with its port and path where they are not the usual ones. TLS
// makes no other service of it, and all addresses of this machine are one.
func (c *Config) Service(endpointURL string) string {
	return endpoint.Service(c.endpoint(endpointURL))
}

// compatible reports whether the service at an endpoint URL is another than AWS: there accounts,
// regions and keys may have another form, or be none.
func (c *Config) compatible(endpointURL string) bool { return c.Service(endpointURL) != "" }

// areaOf is within what the name of a place's bucket stands for one bucket: a service, or a
// partition of AWS.
func areaOf(p transfer.Place) string { return cmp.Or(p.Service(), awsname.Partition(p.Region)) }
