package config

import (
	"maps"
	"slices"
)

// exposedSides refuses to assume roles without an endpoint of their own at the endpoint of a side where the keys of their sessions
// can be read on the way.
func (v *validator) exposedSides() {
	v.exposedTo(v.stateSides())
	for i, m := range v.Mappings {
		if v.full() {
			return
		}
		v.exposedTo(v.sides(m, item("mappings", i)))
	}
}

func (v *validator) exposedTo(sides []Side) {
	assumed := v.assumedAt(sides)
	for _, name := range slices.Sorted(maps.Keys(assumed)) {
		v.exposedAt(assumed[name].EndpointURL, assumed[name].path)
	}
}

// exposed refuses to assume a role where the keys of its session can be read on the way.
func (v *validator) exposed(r Role, path string) {
	if r.EndpointURL != "" {
		v.exposedAt(r.EndpointURL, path+".endpoint_url")
		return
	}
	v.exposedAt(v.STSEndpoint(""), "aws.endpoint_url")
}

func (v *validator) exposedAt(endpoint, path string) {
	v.check(v.AWS.AllowHTTP || !Exposed(endpoint), path, "is http://, and roles are assumed there: the keys of their sessions would be readable on the way",
		"use https://, or set aws.allow_http: true")
}
