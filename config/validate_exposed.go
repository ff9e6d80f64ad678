package config

import (
	"slices"
	"strings"
)

// user is a side that uses a role, and the setting that names its endpoint.
type user struct{ role, endpoint, path string }

func (v *validator) user(role, endpoint, path string) user {
	if endpoint == "" {
		return user{role, v.AWS.EndpointURL, "aws.endpoint_url"}
	}
	return user{role, endpoint, path + ".endpoint_url"}
}

// exposedSides refuses to assume roles without an endpoint of their own at the endpoint of a side where the keys of their sessions
// can be read on the way.
func (v *validator) exposedSides() {
	var state []user
	if strings.HasPrefix(v.State, "s3://") {
		state = []user{v.user(v.Checkpoint.Role, v.Checkpoint.EndpointURL, "checkpoint")}
	}
	v.exposedTo(state)
	for i, m := range v.Mappings {
		if v.full() {
			return
		}
		path := item("mappings", i)
		v.exposedTo(append([]user{
			v.user(m.Source.Role, m.Source.EndpointURL, path+".source"),
			v.user(m.Destination.Role, m.Destination.EndpointURL, path+".destination"),
		}, state...))
	}
}

// exposedTo checks the roles of sides that belong together. A role is assumed at the endpoint of the first that uses it, unless one of
// them is at AWS, where exposed applies.
func (v *validator) exposedTo(users []user) {
	first, atAWS := map[string]user{}, map[string]bool{}
	for _, u := range users {
		for _, name := range v.hops(u.role) {
			if _, known := first[name]; !known {
				first[name] = u
			}
			atAWS[name] = atAWS[name] || v.Service(u.endpoint) == ""
		}
	}
	for _, u := range users {
		for _, name := range v.hops(u.role) {
			if v.Roles[name].EndpointURL == "" && !atAWS[name] {
				v.exposedAt(first[name].endpoint, first[name].path)
			}
		}
	}
}

// hops are a role and those it is reached through, as far as a chain may go.
func (v *validator) hops(role string) []string {
	var hops []string
	for role != "" && len(hops) <= maxHops && !slices.Contains(hops, role) {
		hops = append(hops, role)
		role = v.Roles[role].Via
	}
	return hops
}

// exposed refuses to assume a role where the keys of its session can be read on the way.
func (v *validator) exposed(r Role, path string) {
	if r.EndpointURL != "" {
		v.exposedAt(r.EndpointURL, path+".endpoint_url")
		return
	}
	v.exposedAt(v.STSEndpoint(), "aws.endpoint_url")
}

func (v *validator) exposedAt(endpoint, path string) {
	v.check(v.AWS.AllowHTTP || !Exposed(endpoint), path, "is http://, and roles are assumed there: the keys of their sessions would be readable on the way",
		"use https://, or set aws.allow_http: true")
}
