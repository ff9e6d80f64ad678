package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"syncd/config"
	"syncd/internal/arn"
)

// View is one mapping of a configuration, with what decides which rows of the table it needs.
type View struct {
	Config  *config.Config
	Mapping config.Mapping
	Traits
}

// NewView reads a mapping.
func NewView(c *config.Config, m config.Mapping) View {
	return View{Config: c, Mapping: m, Traits: traitsOf(c, m)}
}

// Mappings returns the mappings of these names; all of the configuration when there are none.
func Mappings(c *config.Config, names []string) ([]config.Mapping, error) {
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
func (v View) accountOf(role string) string {
	if role == "" {
		return v.Mapping.Destination.Account
	}
	return arn.Account(v.Config.Roles[role].ARN)
}

// Roles are the roles of the mapping with those they are reached through, first hop first, each
// once.
func (v View) Roles() (names []string) {
	used := []string{v.Mapping.Source.Role, v.Mapping.Destination.Role}
	if v.State {
		used = append(used, v.Config.Checkpoint.Role)
	}
	for _, name := range used {
		for _, hop := range v.Config.Chain(name) {
			if !slices.Contains(names, hop) {
				names = append(names, hop)
			}
		}
	}
	return names
}

// SourceIdentity is the source identity of the sessions of a role: that of the first hop that has
// one.
func SourceIdentity(c *config.Config, name string) string {
	identity := ""
	for _, hop := range c.Chain(name) {
		identity = cmp.Or(identity, c.Roles[hop].SourceIdentity)
	}
	return identity
}

// InheritedTags are the transitive tags that sessions of the role hand on.
func InheritedTags(c *config.Config, name string) map[string]string {
	tags := map[string]string{}
	for _, hop := range c.Chain(name) {
		for _, key := range c.Roles[hop].TransitiveTags {
			tags[key] = c.Roles[hop].Tags[key]
		}
	}
	return tags
}

// SessionTags are the tags that a session of the role has: its own and those it inherits.
func SessionTags(c *config.Config, name string) map[string]string {
	tags := InheritedTags(c, c.Roles[name].Via)
	maps.Copy(tags, c.Roles[name].Tags)
	return tags
}
