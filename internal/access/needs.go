package access

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"syncd/config"
	"syncd/internal/arn"
)

// Need is one permission that a mapping needs for one principal on one resource.
type Need struct {
	// Mapping is the mapping's name.
	Mapping string
	// Role is the name of the principal in the roles setting, or "" for the ambient credentials.
	// Principal is the ARN of the principal, or "" if unknown. Account is the account of the
	// principal. The ambient credentials are assumed to belong to the destination's account.
	Role, Principal, Account string
	// Action is the needed action, such as s3:GetObject. On is the kind of Resource.
	Action string
	On     Resource
	// Resource is the ARN of the resource as written in a policy, with wildcards. Sample is one
	// concrete ARN that Resource covers.
	Resource, Sample string
	// Owner is the account that owns the resource.
	Owner string
	// Context contains the condition keys and values of a typical request, except those that every
	// request has. It contains no secrets: a request with an ExternalId is marked by ExternalID
	// instead.
	Context map[string][]string
	// ExternalID reports whether the request sends the ExternalId of the role it assumes.
	ExternalID bool
	// Target is the name of the role to assume. It is "" if the need is not for assuming a role.
	Target string
	// Feature is the feature that uses the permission, and Why is the request that requires it.
	// Feature and Why are copied from the row of [Permissions].
	Feature Feature
	Why     string

	SID        string
	Conditions []Condition
	owned      bool   // whether Grant adds a condition on Owner, which the ARN does not contain
	Underlying bool   // the resource is behind an access point: only the bucket policy must allow the request
	Holder     string // description of the bucket behind an access point if only the access point is known; otherwise ""
}

// Needs returns the permissions that a mapping needs, in the order of the table: first those for
// assuming roles, hop by hop, then those for the source, the destination and the state. If two rows
// yield the same need, Needs returns it once, with the reason of the first row.
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

// apply returns the needs that a row yields. A row about assuming roles yields one need for each
// hop. Any other row yields one need for its resource. If that resource is an access point, the row
// yields another need for the bucket behind the access point.
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

// behind returns the bucket, or its objects, behind the access point that a row applies to. It
// returns nil if the row does not apply to an access point.
func (v View) behind(on Resource) *Scope {
	under, ok := map[Resource]Resource{SourceBucket: UnderlyingBucket, SourceObjects: UnderlyingObjects}[on]
	if source, _ := v.Config.Places(v.Mapping); !ok || source.AccessPoint == "" {
		return nil
	}
	p := v.Scope(under)
	return &p
}

// at returns the need that the row p yields for a role on the resource that scope describes.
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

// need returns a need in which only the fields that depend on the row and the role are set.
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

// hops returns the needs of the principals that assume the mapping's roles.
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

// hopNeeds reports whether assuming the role requires the action. Transitive tags and the source
// identity of an earlier hop persist in all later hops.
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

// requestTags returns the context keys of the tags that an AssumeRole request passes.
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

// PrincipalName returns the name of the need's principal for use in findings.
func PrincipalName(n Need) string { return cmp.Or(n.Principal, "the ambient credentials") }

// Grant returns the statement for the need in an identity or session policy. The ARN of a bucket
// does not contain its account, so Grant adds a condition on the account if the configuration
// specifies one.
func (n Need) Grant() Grant {
	g := Grant{SID: n.SID, Actions: []string{n.Action}, Resources: []string{n.Resource}, Conditions: slices.Clone(n.Conditions)}
	if n.owned {
		g.Conditions = append(g.Conditions, When("StringEquals", ResourceAccount, n.Owner))
	}
	return g
}

// ResourceAccount is the condition key for the account that owns the requested resource.
const ResourceAccount = "aws:ResourceAccount"
