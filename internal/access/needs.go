package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"syncd/config"
	"syncd/internal/arn"
)

// Need is one permission that a mapping needs of one principal on one resource.
type Need struct {
	// Mapping is the mapping's name.
	Mapping string
	// Role is the principal by its name in roles, "" for the ambient credentials; Principal is its
	// ARN, "" where that is not known, and Account the account it acts in, which of the ambient
	// credentials is taken to be that of the destination.
	Role, Principal, Account string
	// Action is the action, and On the kind of its resource.
	Action string
	On     Resource
	// Resource is the ARN of the resource as a policy writes it, with wildcards; Sample is one
	// concrete ARN that it covers.
	Resource, Sample string
	// Owner is the account that owns the resource.
	Owner string
	// Context is the condition context of a typical request: what syncd or S3 sends beyond what
	// every request has. What depends on a secret is not in it; see ExternalID.
	Context map[string][]string
	// ExternalID says that the request carries the ExternalId of the role that is assumed.
	ExternalID bool
	// Target is the name of the role that is assumed, "" of other needs.
	Target string
	// Feature and Why say what it is for.
	Feature Feature
	Why     string

	SID        string
	Conditions []Condition
	owned      bool   // the resource's ARN has no account, and the configuration says which it is
	Underlying bool   // only the policy of the resource has a say: it is a bucket, which is reached through an access point
	Holder     string // of a bucket behind an access point, what it is called when nothing is known but that; else ""
}

// Needs returns what a mapping needs, in the order of the table: first the roles, hop by hop, then
// the source, the destination and the state. A need that two rows ask for is there once, with the
// reason of the first.
func Needs(c *config.Config, m config.Mapping) []Need {
	r := NewView(c, m)
	var needs []Need
	for _, p := range Permissions() {
		if p.when != nil && !p.when(r.Traits) {
			continue
		}
		needs = append(needs, r.apply(p)...)
	}
	type identity struct{ principal, action, resource, condition string }
	seen := map[identity]bool{}
	return slices.DeleteFunc(needs, func(n Need) bool {
		id := identity{n.Role, n.Action, n.Resource, fmt.Sprint(n.Conditions)}
		again := seen[id]
		seen[id] = true
		return again
	})
}

// apply makes needs of a row: one, or one for every hop to a role.
func (v View) apply(p Permission) []Need {
	if p.On == AssumedRole {
		return v.hops(p)
	}
	role := map[Actor]string{Reader: v.Mapping.Source.Role, Writer: v.Mapping.Destination.Role, Keeper: v.Config.Checkpoint.Role}[p.By]
	needs := []Need{v.at(p, role, v.Scope(p.On))}
	if scope := v.behind(p.On); scope != nil {
		n := v.at(p, role, *scope)
		n.Underlying, n.owned = true, false
		needs = append(needs, n)
	}
	return needs
}

// behind finds the bucket behind an access point that a row applies to, nil where none is.
func (v View) behind(on Resource) *Scope {
	under, ok := map[Resource]Resource{SourceBucket: UnderlyingBucket, SourceObjects: UnderlyingObjects}[on]
	if source, _ := v.Config.Places(v.Mapping); !ok || source.AccessPoint == "" {
		return nil
	}
	p := v.Scope(under)
	return &p
}

// at is the need of a principal in a scope.
func (v View) at(p Permission, role string, scope Scope) Need {
	n := v.need(p, role)
	n.On = scope.On
	n.Resource, n.Sample, n.Owner = scope.Pattern, scope.sample, scope.Owner
	n.SID, n.Conditions = scope.sid(p.Action), scope.Conditions(p.Action)
	n.owned = !p.On.IsKey() && !scope.isPoint() && (p.By != Keeper || v.Config.StateAccount() != "")
	if scope.Holder() == "" {
		n.Holder = "bucket behind " + scope.AccessPoint
	}
	maps.Copy(n.Context, scope.context(p.Action))
	return n
}

// need begins a need of a principal.
func (v View) need(p Permission, role string) Need {
	n := Need{
		Mapping: v.Mapping.Name, Role: role, Principal: v.Config.Roles[role].ARN, Account: v.accountOf(role),
		Action: p.Action, On: p.On, Feature: p.Feature, Why: p.Why, Context: map[string][]string{},
	}
	for key, value := range SessionTags(v.Config, role) {
		n.Context["aws:PrincipalTag/"+key] = []string{value}
	}
	if identity := SourceIdentity(v.Config, role); identity != "" {
		n.Context["aws:SourceIdentity"] = []string{identity}
	}
	return n
}

// hops are the needs of whoever assumes the mapping's roles.
func (v View) hops(p Permission) (needs []Need) {
	for _, name := range v.Roles() {
		role := v.Config.Roles[name]
		if !hopNeeds(v.Config, name, p.Action) {
			continue
		}
		n := v.need(p, role.Via)
		n.Resource, n.Sample, n.Owner, n.Target = role.ARN, role.ARN, arn.Account(role.ARN), name
		n.SID = map[string]string{ActionAssume: "AssumeRole", ActionTag: "TagSession", ActionIdentity: "SetSourceIdentity"}[p.Action]
		n.ExternalID = p.Action == ActionAssume && role.ExternalID.Sent()
		n.Context["sts:RoleSessionName"] = []string{role.SessionName}
		if identity := SourceIdentity(v.Config, name); identity != "" {
			n.Context["sts:SourceIdentity"] = []string{identity}
		}
		if p.Action != ActionIdentity {
			maps.Copy(n.Context, requestTags(role))
		}
		needs = append(needs, n)
	}
	return needs
}

// hopNeeds reports whether assuming the role amounts to the action: tags and the source identity of
// an earlier hop stay with every later one.
func hopNeeds(c *config.Config, name, action string) bool {
	role := c.Roles[name]
	switch action {
	case ActionTag:
		return len(role.Tags) > 0 || len(InheritedTags(c, role.Via)) > 0
	case ActionIdentity:
		return SourceIdentity(c, name) != ""
	default:
		return true
	}
}

// requestTags are the context keys of the tags that an AssumeRole passes.
func requestTags(role config.Role) map[string][]string {
	if len(role.Tags) == 0 {
		return nil
	}
	facts := map[string][]string{"aws:TagKeys": slices.Sorted(maps.Keys(role.Tags))}
	for key, value := range role.Tags {
		facts["aws:RequestTag/"+key] = []string{value}
	}
	if len(role.TransitiveTags) > 0 {
		facts["sts:TransitiveTagKeys"] = slices.Clone(role.TransitiveTags)
	}
	return facts
}

// PrincipalName is what findings call the principal of a need.
func PrincipalName(n Need) string { return cmp.Or(n.Principal, "the ambient credentials") }

// Grant is what an identity or session policy says of the need. The ARN of a bucket does not say
// whose it is: the account of the configuration does, where there is one.
func (n Need) Grant() Grant {
	g := Grant{SID: n.SID, Actions: []string{n.Action}, Resources: []string{n.Resource}, Conditions: slices.Clone(n.Conditions)}
	if n.owned {
		g.Conditions = append(g.Conditions, When("StringEquals", ResourceAccount, n.Owner))
	}
	return g
}

// ResourceAccount is the condition key of the account that owns what a request is about.
const ResourceAccount = "aws:ResourceAccount"
