package access

import (
	"fmt"

	"syncd/config"
	"syncd/internal/iam"
)

// SessionPolicy returns the policy that restricts a session of the role to the mapping, so that it
// cannot access buckets and keys of other mappings. roleName is the role's name in the roles
// setting.
//
// [SessionPolicyText] encodes the policy in at most 2,048 characters (AWS STS API Reference,
// AssumeRole). If the policy would be longer, SessionPolicy leaves out the conditions that
// [SessionLeftOut] returns. If it is too long even without them, SessionPolicy returns a
// *SizeError. It also returns an error if the mapping does not use the role, because a session
// without a policy would not be restricted.
func SessionPolicy(c *config.Config, m config.Mapping, roleName string) (*iam.Document, error) {
	policy, _, err := sessionPolicy(c, m, roleName)
	return policy, err
}

// SessionLeftOut returns the keys of the conditions that a session policy leaves out for lack of
// space. The policies of the role and the key still require them.
func SessionLeftOut(c *config.Config, m config.Mapping, roleName string) ([]string, error) {
	_, left, err := sessionPolicy(c, m, roleName)
	return left, err
}

// dispensable returns the condition keys that a session policy can leave out, least important
// first. The identity policy of the role has conditions on the same keys, but its conditions on the
// encryption context cover all mappings of the role.
func dispensable() []string {
	return []string{ResourceAccount, EncryptionContext, "kms:ViaService"}
}

func sessionPolicy(c *config.Config, m config.Mapping, roleName string) (policy *iam.Document, left []string, err error) {
	var grants []Grant
	for _, n := range Needs(c, m) {
		if n.Role == roleName && !n.Underlying {
			grants = append(grants, n.Grant())
		}
	}
	if roleName == "" || len(grants) == 0 {
		return nil, nil, fmt.Errorf("write session policy of role %q: mapping %s does not use it", roleName, m.Name)
	}
	size := 0
	for n := range len(dispensable()) + 1 {
		left = dispensable()[:n]
		if n > 0 {
			grants = Without(grants, "", left[n-1])
		}
		if policy, size, err = unnamed(grants); err != nil || size <= MaxSession {
			return policy, left, err
		}
	}
	title := fmt.Sprintf("session policy of role %s for mapping %s", roleName, m.Name)
	return nil, nil, &SizeError{Document: title, Size: size, Limit: MaxSession, Advice: "use session_policy none, or shorter prefixes"}
}

// unnamed returns a policy with the grants, and its size in characters. The statements have no
// Sids, which would only use up characters.
func unnamed(grants []Grant) (*iam.Document, int, error) {
	policy := &iam.Document{Version: iam.Version2012, Statements: Minimal(grants)}
	for i := range policy.Statements {
		policy.Statements[i].SID = ""
	}
	text, err := Compact(policy)
	return policy, len(text), err
}

// SessionPolicyText returns the [SessionPolicy] as JSON text for an AssumeRole request.
func SessionPolicyText(c *config.Config, m config.Mapping, roleName string) (string, error) {
	policy, err := SessionPolicy(c, m, roleName)
	if err != nil {
		return "", err
	}
	text, err := Compact(policy)
	return string(text), err
}
