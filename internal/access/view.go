package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"syncd/config"
)

// reading is one mapping of a configuration, with what decides which rows of the table it needs.
type reading struct {
	c *config.Config
	m config.Mapping
	traits
}

// viewOf reads a mapping.
func viewOf(c *config.Config, m config.Mapping) reading {
	return reading{c: c, m: m, traits: traitsOf(c, m)}
}

// choose returns the mappings of these names; all of the configuration when there are none.
func choose(c *config.Config, names []string) ([]config.Mapping, error) {
	if len(names) == 0 {
		return c.Mappings, nil
	}
	var chosen []config.Mapping
	for _, name := range sorted(names) {
		m, ok := c.Mapping(name)
		if !ok {
			return nil, fmt.Errorf("find mapping %q: the configuration has none of that name", name)
		}
		chosen = append(chosen, m)
	}
	return chosen, nil
}

// accountOf is the account that a role acts in; the ambient credentials are the consumer's.
func (r reading) accountOf(role string) string {
	if role == "" {
		return r.m.Destination.Account
	}
	return accountOf(r.c.Roles[role].ARN)
}

// roles are the roles of the mapping with those they are reached through, first hop first, each once.
func (r reading) roles() (names []string) {
	used := []string{r.m.Source.Role, r.m.Destination.Role}
	if r.state {
		used = append(used, r.c.Checkpoint.Role)
	}
	for _, name := range used {
		for _, hop := range r.c.Chain(name) {
			if !slices.Contains(names, hop) {
				names = append(names, hop)
			}
		}
	}
	return names
}

func sourceIdentity(c *config.Config, name string) string {
	identity := ""
	for _, hop := range c.Chain(name) {
		identity = cmp.Or(identity, c.Roles[hop].SourceIdentity)
	}
	return identity
}

// inheritedTags are the transitive tags that sessions of the role hand on.
func inheritedTags(c *config.Config, name string) map[string]string {
	tags := map[string]string{}
	for _, hop := range c.Chain(name) {
		for _, key := range c.Roles[hop].TransitiveTags {
			tags[key] = c.Roles[hop].Tags[key]
		}
	}
	return tags
}

// sessionTags are the tags that a session of the role has: its own and those it inherits.
func sessionTags(c *config.Config, name string) map[string]string {
	tags := inheritedTags(c, c.Roles[name].Via)
	maps.Copy(tags, c.Roles[name].Tags)
	return tags
}

func stateLocation(c *config.Config) (bucket, prefix string) {
	location, err := config.ParseLocation(c.State)
	if err != nil {
		return "", ""
	}
	return location.Bucket, location.Prefix
}
