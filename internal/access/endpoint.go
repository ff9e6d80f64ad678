package access

import (
	"cmp"
	"maps"
	"slices"

	"syncd/config"
)

// use is a role, "" for the ambient credentials, at the S3 endpoint of a side.
type use struct{ role, endpoint, region string }

// uses are the sides of a mapping: the source, the destination, and the state where it is on S3.
func uses(c *config.Config, m config.Mapping) []use {
	list := []use{
		{m.Source.Role, m.Source.EndpointURL, m.Source.Region},
		{m.Destination.Role, m.Destination.EndpointURL, m.Destination.Region},
	}
	if traitsOf(c, m).state {
		list = append(list, stateUse(c))
	}
	return list
}

func stateUse(c *config.Config) use {
	return use{c.Checkpoint.Role, c.Checkpoint.EndpointURL, c.StateRegion()}
}

// Roles are the roles of the configuration with the endpoint at which a mapping assumes each: a role without an endpoint of its own is
// assumed where S3 is, when its sides are another service than AWS. Credentials of such a service are never sent to AWS by accident.
func Roles(c *config.Config, m config.Mapping) map[string]config.Role {
	return rolesAt(c, uses(c, m))
}

// StateRoles are Roles for the state.
func StateRoles(c *config.Config) map[string]config.Role {
	return rolesAt(c, []use{stateUse(c)})
}

func rolesAt(c *config.Config, list []use) map[string]config.Role {
	roles := maps.Clone(c.Roles)
	for name, role := range roles {
		if role.EndpointURL != "" {
			continue
		}
		var endpoints []string
		for _, u := range list {
			if slices.Contains(chain(c, u.role), name) {
				endpoints = append(endpoints, stsEndpoint(c, u.endpoint))
			}
		}
		if len(endpoints) > 0 && !slices.Contains(endpoints, "") {
			role.EndpointURL = endpoints[0]
			roles[name] = role
		}
	}
	return roles
}

// stsEndpoint is where STS is for a side with an S3 endpoint: there too, unless it is one of AWS's, which have S3 alone; "" for AWS.
func stsEndpoint(c *config.Config, endpoint string) string {
	if c.Service(endpoint) == "" {
		return ""
	}
	return cmp.Or(endpoint, c.AWS.EndpointURL)
}
