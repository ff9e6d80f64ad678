package config

import (
	"cmp"
	"maps"
	"slices"
)

// maxHops is the maximum number of roles in a chain. Real chains are much shorter, because each
// role of a chain costs one request per session.
const maxHops = 10

// Chain returns the roles that are assumed to reach role, in order, ending with role itself. It
// returns nothing for "", the ambient credentials. If the chain is too long or never ends, it
// returns only the part nearest to the role.
func Chain(roles map[string]Role, role string) (hops []string) {
	for role != "" && len(hops) <= maxHops && !slices.Contains(hops, role) {
		hops = append(hops, role)
		role = roles[role].Via
	}
	slices.Reverse(hops)
	return hops
}

// Chain returns the chain of a role of the configuration.
func (c *Config) Chain(role string) []string { return Chain(c.Roles, role) }

// Side is one place where a role or the ambient credentials are used: a source, a destination or
// the state. Unlike a transfer.Place, which has only the name of the service, it has the endpoint
// URL as configured.
type Side struct {
	// Role is the name of the role, or "" for the ambient credentials.
	Role string
	// EndpointURL and Region are the endpoint and region of S3; EndpointURL is "" for AWS.
	EndpointURL, Region string

	path string // config path of the setting that names the endpoint
}

// Sides returns the source and the destination of a mapping, and the state if it is on S3.
func (c *Config) Sides(m Mapping) []Side { return c.sides(m, "") }

func (c *Config) sides(m Mapping, path string) []Side {
	return append([]Side{
		c.side(m.Source.Role, m.Source.EndpointURL, m.Source.Region, path+".source"),
		c.side(m.Destination.Role, m.Destination.EndpointURL, m.Destination.Region, path+".destination"),
	}, c.stateSides()...)
}

// stateSides returns the side of the state, or nothing if the state is a folder.
func (c *Config) stateSides() []Side {
	state, ok := c.StatePlace()
	if !ok {
		return nil
	}
	return []Side{c.side(state.Role, c.Checkpoint.EndpointURL, state.Region, "checkpoint")}
}

func (c *Config) side(role, endpoint, region, path string) Side {
	if endpoint == "" {
		return Side{role, c.AWS.EndpointURL, region, "aws.endpoint_url"}
	}
	return Side{role, endpoint, region, path + ".endpoint_url"}
}

// STSEndpoint returns the STS endpoint for a side with the given S3 endpoint ("" means
// aws.endpoint_url). For a compatible service it is the same URL. For AWS it is "", because S3
// endpoints of AWS do not serve STS.
func (c *Config) STSEndpoint(endpointURL string) string {
	if c.Service(endpointURL) == "" {
		return ""
	}
	return cmp.Or(endpointURL, c.AWS.EndpointURL)
}

// AssumedRoles returns the roles that a mapping assumes, each with its STS endpoint. A role without
// endpoint_url is assumed at the S3 endpoint of the sides that use it, if none of these sides is at
// AWS. So credentials of another service are never sent to AWS by accident.
func (c *Config) AssumedRoles(m Mapping) map[string]Role { return c.assumedRoles(c.Sides(m)) }

// AssumedStateRoles returns the roles that are assumed to access the state, each with its STS
// endpoint as in AssumedRoles.
func (c *Config) AssumedStateRoles() map[string]Role { return c.assumedRoles(c.stateSides()) }

func (c *Config) assumedRoles(sides []Side) map[string]Role {
	roles := map[string]Role{} // only the roles that the sides use: copying all roles for each mapping would take quadratic time
	for _, s := range sides {
		for _, name := range c.Chain(s.Role) {
			if role, ok := c.Roles[name]; ok {
				roles[name] = role
			}
		}
	}
	for name, at := range c.assumedAt(sides) {
		role := roles[name]
		role.EndpointURL = at.EndpointURL
		roles[name] = role
	}
	return roles
}

// assumedAt maps each role without endpoint_url to the first side that uses it. The role is assumed
// at the endpoint of that side. The map omits a role if any side that uses it is at AWS.
func (c *Config) assumedAt(sides []Side) map[string]Side {
	at := map[string]Side{}
	for _, s := range sides {
		for _, name := range c.Chain(s.Role) {
			if _, known := at[name]; !known || c.STSEndpoint(s.EndpointURL) == "" {
				at[name] = s
			}
		}
	}
	maps.DeleteFunc(at, func(name string, s Side) bool {
		return c.Roles[name].EndpointURL != "" || c.STSEndpoint(s.EndpointURL) == ""
	})
	return at
}
