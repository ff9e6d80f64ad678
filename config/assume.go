package config

import (
	"cmp"
	"maps"
	"slices"
)

// maxHops is far above what anybody needs: every hop is a request before each session.
const maxHops = 10

// Chain returns one of the roles and those it is reached through, the first hop first; nothing for
// "", the ambient credentials. Of a chain that is too long, or never ends, it returns the part that
// is nearest to the role.
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

// Side is where a role, or "" for the ambient credentials, is used. A transfer.Place does not do
// for it: the place knows the service by its name, and here the URL counts as it is configured.
type Side struct {
	// Role is the name of the role.
	Role string
	// EndpointURL and Region are those of S3 there; EndpointURL is "" for AWS.
	EndpointURL, Region string

	path string // of the setting that names the endpoint
}

// Sides are the source and the destination of a mapping, and the state where it is on S3.
func (c *Config) Sides(m Mapping) []Side { return c.sides(m, "") }

func (c *Config) sides(m Mapping, path string) []Side {
	return append([]Side{
		c.side(m.Source.Role, m.Source.EndpointURL, m.Source.Region, path+".source"),
		c.side(m.Destination.Role, m.Destination.EndpointURL, m.Destination.Region, path+".destination"),
	}, c.stateSides()...)
}

// stateSides is the side of the state, none for a folder.
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

// STSEndpoint returns where STS is for a side with that endpoint of S3, or aws.endpoint_url where
// it is "": there too, unless it is one of S3's own, which have no STS; "" for AWS.
func (c *Config) STSEndpoint(endpointURL string) string {
	if c.Service(endpointURL) == "" {
		return ""
	}
	return cmp.Or(endpointURL, c.AWS.EndpointURL)
}

// AssumedRoles are the roles of the configuration with the endpoint at which a mapping assumes
// each: a role without an endpoint of its own is assumed where S3 is, when its sides are another
// service than AWS. Credentials of such a service are never sent to AWS by accident.
func (c *Config) AssumedRoles(m Mapping) map[string]Role { return c.assumedRoles(c.Sides(m)) }

// AssumedStateRoles are AssumedRoles for the state.
func (c *Config) AssumedStateRoles() map[string]Role { return c.assumedRoles(c.stateSides()) }

func (c *Config) assumedRoles(sides []Side) map[string]Role {
	roles := map[string]Role{} // those alone that the sides use: with a role a mapping, all of each would be the square of them
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

// assumedAt finds the side at whose endpoint each role without one of its own is assumed: the first
// that uses it. Where one of them is AWS the role is not among them.
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
