package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"syncd/config/secret"
)

// defaultMaxSession is the maximum session duration of a role that asks for none (IAM API Reference, CreateRole).
const defaultMaxSession = time.Hour

// addTrust lets a role be assumed. Each action has a statement of its own: only sts:AssumeRole carries an ExternalId, and a
// condition on it never holds for the others.
func (b *book) addTrust(n Need) error {
	conditions, err := b.strangers(n)
	if err != nil {
		return err
	}
	d := b.draft(Document{
		Name: n.Owner + "-" + nameOf(n.Resource) + "-trust", Title: "trust policy of " + n.Resource,
		Account: n.Owner, Kind: KindTrust, Target: n.Resource,
	}, n.Mapping)
	principal := b.principalOf(n)
	b.noteTrust(d, n, principal)
	var alternatives [][]condition
	switch n.Action {
	case actionAssume:
		asked, err := b.asked(d, n, principal)
		if err != nil {
			return err
		}
		alternatives = [][]condition{slices.Concat(asked, b.identityPins(n.Target), b.taggedPins(n.Target))}
	case actionTag:
		alternatives = b.passedTags(n.Target)
	case actionIdentity:
		alternatives = [][]condition{b.identityPins(n.Target)}
	}
	for i, pins := range alternatives {
		d.grants = append(d.grants, grant{
			sid: n.sid + []string{"", "Unseen"}[i], principals: []string{principal}, actions: []string{n.Action}, conditions: slices.Concat(conditions, pins),
		})
	}
	return nil
}

func (b *book) noteTrust(d *draft, n Need, principal string) {
	role := b.c.Roles[n.Target]
	if role.Duration.Duration() > defaultMaxSession {
		d.note("Raise the role's maximum session duration to " + role.Duration.String() + ": AWS gives a new role one hour.")
	}
	if n.Role == "" {
		d.note("On EKS Pod Identity the ambient session passes on tags of its own, which this policy refuses: disable the session tags of the association.")
	}
	d.noteNamed(n, principal)
}

// asked is the condition on the ExternalId. The role of another owner always has one, unless the configuration says that it needs none:
// through those who may assume it, it could be used by anyone they work for (IAM User Guide, "The confused deputy problem").
func (b *book) asked(d *draft, n Need, principal string) ([]condition, error) {
	id := b.c.Roles[n.Target].ExternalID
	m, _ := b.c.Mapping(n.Mapping)
	switch {
	case !ofAnotherOwner(n.Owner, n.Account, m) && !n.ExternalID:
		return nil, nil
	case !id.Sent() && !id.IsZero():
		if principal != n.Principal && b.o.OrgID == "" {
			return nil, fmt.Errorf("write trust policy of %s: without an external id (roles.%s.external_id is none) all of account %s could assume it: "+
				"name the principal of the ambient credentials, or the organization", n.Resource, n.Target, n.Account)
		}
		return nil, nil
	}
	return b.externalID(d, n)
}

func (b *book) externalID(d *draft, n Need) ([]condition, error) {
	id, err := b.findExternalID(n)
	if err != nil {
		return nil, err
	}
	if !n.ExternalID {
		d.note("The configuration has no external_id for role " + n.Target + ", and this policy asks for one: set roles." + n.Target +
			".external_id first, which the policy in force does not mind, and put this policy in force afterwards.")
	}
	if id == secret.Placeholder {
		d.note("Put the external id of role " + n.Target + " in place of " + secret.Placeholder + ".")
	}
	return []condition{{"StringEquals", "sts:ExternalId", []string{id}}}, nil
}

func (b *book) findExternalID(n Need) (string, error) {
	if b.o.ExternalID == nil {
		if !n.ExternalID {
			return secret.Placeholder, nil
		}
		return "", fmt.Errorf("find external id of role %q: nothing to find it with", n.Target)
	}
	id, err := b.o.ExternalID(n.Target)
	if err != nil {
		return "", fmt.Errorf("find external id of role %q: %w", n.Target, err)
	}
	return id, nil
}

// identityPins hold the source identity to the one of the configuration. One that was set at an earlier hop is part of the caller's
// session, and cannot be set again (IAM User Guide, "Monitor and control actions taken with assumed roles").
func (b *book) identityPins(role string) []condition {
	key, identity := "sts:SourceIdentity", sourceIdentity(b.c, role)
	if sourceIdentity(b.c, b.c.Roles[role].Via) != "" {
		key = "aws:SourceIdentity"
	}
	if identity == "" {
		return nil // without sts:SetSourceIdentity none can be set
	}
	return []condition{{"StringEquals", key, []string{identity}}}
}

// taggedPins ask for the tags that the configuration gives the role's sessions. sts:TagSession, which is not asked for when there are
// none, asks for their values. To Null an empty value is none (IAM User Guide, "IAM JSON policy elements: Condition operators").
func (b *book) taggedPins(role string) (conditions []condition) {
	for _, c := range tagConditions("aws:RequestTag/", b.c.Roles[role].Tags) {
		if c.values[0] != "" {
			conditions = append(conditions, condition{"Null", c.key, []string{"false"}})
		}
	}
	if len(conditions) == 0 && len(b.c.Roles[role].Tags) > 0 { // all are empty; sts:TagSession asks which
		conditions = append(conditions, condition{"Null", "aws:TagKeys", []string{"false"}})
	}
	return conditions
}

// passedTags are the conditions under which a session may be tagged, as alternatives: exactly the tags of the configuration, since
// policies that look at tags take the word of whoever chooses them. Whether STS shows the tags that are inherited from earlier hops as
// those of the request is not documented, so that they may all show, with their values, or not.
func (b *book) passedTags(role string) [][]condition {
	own, inherited := b.c.Roles[role].Tags, inheritedTags(b.c, b.c.Roles[role].Via)
	unseen := append(exactTags(own), transitivePins(b.c.Roles[role].TransitiveTags, len(own) > 0)...)
	if len(inherited) == 0 {
		return [][]condition{unseen}
	}
	// Whether the keys of inherited tags show as transitive ones is not documented either.
	return [][]condition{exactTags(sessionTags(b.c, role)), unseen}
}

// transitivePins keep the caller from making tags transitive that the configuration does not: these would reach every later hop.
func transitivePins(keys []string, tagged bool) []condition {
	switch {
	case !tagged:
		return nil
	case len(keys) == 0:
		return []condition{{"Null", "sts:TransitiveTagKeys", []string{"true"}}}
	default:
		return []condition{{"ForAllValues:StringEquals", "sts:TransitiveTagKeys", keys}} // fewer do no harm
	}
}

// exactTags ask that a request has these tags and no others. ForAllValues alone holds for a request without tags too; Null asks for some.
func exactTags(tags map[string]string) []condition {
	if len(tags) == 0 {
		return []condition{{"Null", "aws:TagKeys", []string{"true"}}}
	}
	return append(tagConditions("aws:RequestTag/", tags),
		condition{"ForAllValues:StringEquals", "aws:TagKeys", slices.Collect(maps.Keys(tags))}, condition{"Null", "aws:TagKeys", []string{"false"}})
}

// without drops from grants the conditions whose key begins so, of one action or, with "", of all.
func without(grants []grant, action, key string) []grant {
	list := slices.Clone(grants)
	for i, g := range list {
		if action == "" || slices.Contains(g.actions, action) {
			list[i].conditions = slices.DeleteFunc(slices.Clone(g.conditions), func(c condition) bool { return strings.HasPrefix(c.key, key) })
		}
	}
	return list
}
