package config

import (
	"maps"
	"slices"

	"syncd/config/fault"
	"syncd/internal/endpoint"
)

// exposedRules reject settings that would send session keys over a network unencrypted.
type exposedRules struct{ *validator }

// sides checks the roles that are assumed at the endpoint of a side: their session keys must not
// cross the network unencrypted.
func (v exposedRules) sides() {
	v.side(v.stateSides())
	for i, m := range v.Mappings {
		if v.Full() {
			return
		}
		v.side(v.Config.sides(m, fault.Item("mappings", i)))
	}
}

func (v exposedRules) side(sides []Side) {
	assumed := v.assumedAt(sides)
	for _, name := range slices.Sorted(maps.Keys(assumed)) {
		v.at(assumed[name].EndpointURL, assumed[name].path)
	}
}

// role checks a role's own STS endpoint, or aws.endpoint_url: its session keys must not cross the
// network unencrypted.
func (v exposedRules) role(r Role, path string) {
	if r.EndpointURL != "" {
		v.at(r.EndpointURL, path+".endpoint_url")
		return
	}
	v.at(v.STSEndpoint(""), "aws.endpoint_url")
}

func (v exposedRules) at(url, path string) {
	v.check(v.AWS.AllowHTTP || !endpoint.Exposed(url), path, "is http://, and roles are assumed there: session keys would cross the network unencrypted",
		"use https://, or set aws.allow_http: true")
}
