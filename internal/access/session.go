package access

import (
	"fmt"
	"strings"

	"syncd/config"
	"syncd/internal/iam"
)

// SessionPolicy returns what narrows a session of the role, by its name in roles, to what the mapping needs of it: buckets
// and keys of another mapping are out of its reach. It is at most 2,048 characters long as [SessionPolicyText] writes it (AWS
// STS API Reference, AssumeRole); what is longer is a *SizeError. A role that the mapping does not use is an error too, since
// no policy would not narrow its session at all.
func SessionPolicy(c *config.Config, m config.Mapping, roleName string) (*iam.Document, error) {
	var grants []grant
	for _, n := range Needs(c, m) {
		if n.Role != roleName {
			continue
		}
		g := grant{actions: []string{n.Action}, resources: []string{n.Resource}, conditions: n.condition}
		if strings.HasPrefix(n.Action, "kms:") {
			// Characters are dear here; the policies of role and key say how the key may be used.
			g.conditions = nil
		}
		grants = append(grants, g)
	}
	if roleName == "" || len(grants) == 0 {
		return nil, fmt.Errorf("write session policy of role %q: mapping %s does not use it", roleName, m.Name)
	}
	policy := &iam.Document{Version: iam.Version2012, Statements: minimal(grants)}
	for i := range policy.Statements {
		policy.Statements[i].SID = ""
	}
	text, err := compact(policy)
	if err != nil {
		return nil, err
	}
	if len(text) > maxSession {
		title := fmt.Sprintf("session policy of role %s for mapping %s", roleName, m.Name)
		return nil, &SizeError{Document: title, Size: len(text), Limit: maxSession, Advice: "use session_policy none, or shorter prefixes"}
	}
	return policy, nil
}

// SessionPolicyText is [SessionPolicy] as AssumeRole takes it.
func SessionPolicyText(c *config.Config, m config.Mapping, roleName string) (string, error) {
	policy, err := SessionPolicy(c, m, roleName)
	if err != nil {
		return "", err
	}
	text, err := compact(policy)
	return string(text), err
}
