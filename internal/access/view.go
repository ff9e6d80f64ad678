package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"syncd/config"
	"syncd/internal/arn"
)

// View is one mapping of a configuration, with the traits that determine which rows of the table
// apply to it.
type View struct {
	Config  *config.Config
	Mapping config.Mapping
	Traits
}

// NewView returns the view of a mapping.
func NewView(c *config.Config, m config.Mapping) View {
	return View{Config: c, Mapping: m, Traits: traitsOf(c, m)}
}

// Mappings returns the mappings with these names, or all mappings if names is empty.
func Mappings(c *config.Config, names []string) ([]config.Mapping, error) {
	if len(names) == 0 {
		return c.Mappings, nil
	}
	var chosen []config.Mapping
	for _, name := range sorted(names) {
		m, ok := c.Mapping(name)
		if !ok {
			return nil, fmt.Errorf("find mapping %q: the configuration has no mapping with this name", name)
		}
		chosen = append(chosen, m)
	}
	return chosen, nil
}

// accountOf returns the account of a role. For "", the ambient credentials, it returns the account
// of the destination.
func (v View) accountOf(role string) string {
	if role == "" {
		return v.Mapping.Destination.Account
	}
	return arn.Account(v.Config.Roles[role].ARN)
}

// Roles returns the names of the roles that the mapping uses and of the roles that syncd assumes on
// the way to them, without duplicates. Each role comes after the role that assumes it.
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

// SourceIdentity returns the source identity of the role's sessions. The first hop with
// source_identity sets it for all later hops. It is "" if no hop sets one.
func SourceIdentity(c *config.Config, name string) string {
	identity := ""
	for _, hop := range c.Chain(name) {
		identity = cmp.Or(identity, c.Roles[hop].SourceIdentity)
	}
	return identity
}

// InheritedTags returns the transitive tags that sessions of the role pass on to later hops.
func InheritedTags(c *config.Config, name string) map[string]string {
	tags := map[string]string{}
	for _, hop := range c.Chain(name) {
		for _, key := range c.Roles[hop].TransitiveTags {
			tags[key] = c.Roles[hop].Tags[key]
		}
	}
	return tags
}

// SessionTags returns the tags of the role's sessions, both their own and inherited.
func SessionTags(c *config.Config, name string) map[string]string {
	tags := InheritedTags(c, c.Roles[name].Via)
	maps.Copy(tags, c.Roles[name].Tags)
	return tags
}
