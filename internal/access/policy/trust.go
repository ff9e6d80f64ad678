package policy

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"syncd/config/secret"
	"syncd/internal/access"
	"syncd/internal/arn"
)

// defaultMaxSession is the default maximum session duration of a role (IAM API Reference,
// CreateRole).
const defaultMaxSession = time.Hour

// addTrust adds the need to the trust policy of the role to assume. Each action has its own
// statement. Only a request for sts:AssumeRole contains an ExternalId, so a condition on it would
// never match the other actions.
func (w *writer) addTrust(n access.Need) error {
	conditions, err := w.crossAccount(n)
	if err != nil {
		return err
	}
	d := w.draft(Document{
		Name: n.Owner + "-" + arn.Name(n.Resource) + "-trust", Title: "trust policy of " + n.Resource,
		Account: n.Owner, Kind: access.KindTrust, Target: n.Resource,
	}, n.Mapping)
	principal := w.principalOf(n)
	w.noteTrust(d, n, principal)
	var alternatives [][]access.Condition
	switch n.Action {
	case access.ActionAssume:
		asked, err := w.asked(d, n, principal)
		if err != nil {
			return err
		}
		alternatives = [][]access.Condition{slices.Concat(asked, w.identityPins(n.Target), w.taggedPins(n.Target))}
	case access.ActionTag:
		alternatives = w.passedTags(n.Target)
	case access.ActionIdentity:
		alternatives = [][]access.Condition{w.identityPins(n.Target)}
	}
	for i, pins := range alternatives {
		d.grants = append(d.grants, access.Grant{
			SID: n.SID + []string{"", "Unseen"}[i], Principals: []string{principal}, Actions: []string{n.Action}, Conditions: slices.Concat(conditions, pins),
		})
	}
	return nil
}

func (w *writer) noteTrust(d *draft, n access.Need, principal string) {
	role := w.c.Roles[n.Target]
	if role.Duration.Duration() > defaultMaxSession {
		d.note("Raise the role's maximum session duration to " + role.Duration.String() + ": the default of a new role is one hour.")
	}
	if n.Role == "" {
		d.note("EKS Pod Identity adds its own session tags to the ambient session. This policy rejects these tags: disable them for the association.")
	}
	d.noteNamed(n, principal)
}

// asked returns the condition on the ExternalId, or nil if the role needs no ExternalId. A role of
// another owner always needs an ExternalId, unless external_id is none. The condition protects
// against the confused deputy (IAM User Guide, "The confused deputy problem"): other customers of a
// principal that may assume the role could make that principal use the role for them.
func (w *writer) asked(d *draft, n access.Need, principal string) ([]access.Condition, error) {
	id := w.c.Roles[n.Target].ExternalID
	m, _ := w.c.Mapping(n.Mapping)
	switch {
	case !access.OfAnotherOwner(n.Owner, n.Account, m) && !n.ExternalID:
		return nil, nil
	case !id.Sent() && !id.IsZero():
		if principal != n.Principal && w.o.OrgID == "" {
			return nil, fmt.Errorf("write trust policy of %s: without an ExternalId (roles.%s.external_id is none) all of account %s could assume the role: "+
				"name the principal of the ambient credentials, or the organization", n.Resource, n.Target, n.Account)
		}
		return nil, nil
	}
	return w.externalID(d, n)
}

func (w *writer) externalID(d *draft, n access.Need) ([]access.Condition, error) {
	id, err := w.findExternalID(n)
	if err != nil {
		return nil, err
	}
	if !n.ExternalID {
		d.note("The configuration has no external_id for role " + n.Target + ", but this policy requires an ExternalId. First set roles." + n.Target +
			".external_id: the policy that is now in force also accepts requests with an ExternalId. Then put this policy in force.")
	}
	if id == secret.Placeholder {
		d.note("Replace " + secret.Placeholder + " with the ExternalId of role " + n.Target + ".")
	}
	return []access.Condition{access.When("StringEquals", "sts:ExternalId", id)}, nil
}

func (w *writer) findExternalID(n access.Need) (string, error) {
	if w.o.ExternalID == nil {
		if !n.ExternalID {
			return secret.Placeholder, nil
		}
		return "", fmt.Errorf("find ExternalId of role %q: Options.ExternalID is nil", n.Target)
	}
	id, err := w.o.ExternalID(n.Target)
	if err != nil {
		return "", fmt.Errorf("find ExternalId of role %q: %w", n.Target, err)
	}
	return id, nil
}

// identityPins returns the condition that requires the configured source identity, or nil if none
// is configured. If an earlier hop set the source identity, the caller's session already has it and
// the request cannot set it again (IAM User Guide, "Monitor and control actions taken with assumed
// roles").
func (w *writer) identityPins(role string) []access.Condition {
	key, identity := "sts:SourceIdentity", access.SourceIdentity(w.c, role)
	if access.SourceIdentity(w.c, w.c.Roles[role].Via) != "" {
		key = "aws:SourceIdentity"
	}
	if identity == "" {
		return nil // without sts:SetSourceIdentity no source identity can be set
	}
	return []access.Condition{access.When("StringEquals", key, identity)}
}

// taggedPins returns conditions for sts:AssumeRole that require the configured tags to be present.
// The statement for sts:TagSession checks the values of tags, but a request without tags does not
// need that action. Null treats an empty value as absent, so taggedPins requires only tags whose
// value is not empty (IAM User Guide, "IAM JSON policy elements: Condition operators").
func (w *writer) taggedPins(role string) (conditions []access.Condition) {
	for _, c := range tagConditions("aws:RequestTag/", w.c.Roles[role].Tags) {
		if c.Values[0] != "" {
			conditions = append(conditions, access.When("Null", c.Key, "false"))
		}
	}
	if len(conditions) == 0 && len(w.c.Roles[role].Tags) > 0 { // all values are empty; the statement for sts:TagSession checks the keys
		conditions = append(conditions, access.When("Null", "aws:TagKeys", "false"))
	}
	return conditions
}

// passedTags returns the alternative conditions for tagging a session. They allow exactly the
// configured tags, because other policies trust the tags that the caller chooses. AWS does not
// document whether tags inherited from earlier hops are among the request tags. One alternative
// therefore requires all inherited tags with their values, and the other allows none of them.
func (w *writer) passedTags(role string) [][]access.Condition {
	own, inherited := w.c.Roles[role].Tags, access.InheritedTags(w.c, w.c.Roles[role].Via)
	unseen := append(exactTags(own), transitivePins(w.c.Roles[role].TransitiveTags, len(own) > 0)...)
	if len(inherited) == 0 {
		return [][]access.Condition{unseen}
	}
	// AWS also does not document whether sts:TransitiveTagKeys contains the keys of inherited tags.
	// The alternative that requires the inherited tags therefore has no condition on that key.
	return [][]access.Condition{exactTags(access.SessionTags(w.c, role)), unseen}
}

// transitivePins returns the condition that allows only tags with the given keys to be transitive.
// A transitive tag that the caller chooses would reach every later hop. tagged reports whether the
// request has tags; without tags there is no condition.
func transitivePins(keys []string, tagged bool) []access.Condition {
	switch {
	case !tagged:
		return nil
	case len(keys) == 0:
		return []access.Condition{access.When("Null", "sts:TransitiveTagKeys", "true")}
	default:
		return []access.Condition{access.When("ForAllValues:StringEquals", "sts:TransitiveTagKeys", keys...)} // a subset of the keys is harmless
	}
}

// exactTags returns conditions that require a request to have exactly these tags. ForAllValues
// alone also matches a request without tags, so a Null condition requires at least one tag.
func exactTags(tags map[string]string) []access.Condition {
	if len(tags) == 0 {
		return []access.Condition{access.When("Null", "aws:TagKeys", "true")}
	}
	return append(tagConditions("aws:RequestTag/", tags),
		access.When("ForAllValues:StringEquals", "aws:TagKeys", slices.Collect(maps.Keys(tags))...), access.When("Null", "aws:TagKeys", "false"))
}
