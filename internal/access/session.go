package access

import (
	"fmt"

	"syncd/config"
	"syncd/internal/iam"
)

// SessionPolicy returns what narrows a session of the role, by its name in roles, to what the
// mapping needs of it: buckets and keys of another mapping are out of its reach. It is at most
// 2,048 characters long as [SessionPolicyText] writes it (AWS STS API Reference, AssumeRole): of
// the conditions that narrow it further it has as many as fit, see [SessionLeftOut]. What is longer
// without any of them is a *SizeError. A role that the mapping does not use is an error too, since
// no policy would not narrow its session at all.
func SessionPolicy(c *config.Config, m config.Mapping, roleName string) (*iam.Document, error) {
	policy, _, err := sessionPolicy(c, m, roleName)
	return policy, err
}

// SessionLeftOut returns the keys of conditions for which a session policy has no room. The
// policies of role and key ask for them all the same.
func SessionLeftOut(c *config.Config, m config.Mapping, roleName string) ([]string, error) {
	_, left, err := sessionPolicy(c, m, roleName)
	return left, err
}

// dispensable is what a session policy can do without, the least first: the permissions of the role
// ask for the same accounts, but for the keys' contexts of all its mappings.
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

// unnamed is the grants as a policy without names, which would only cost characters, and how many
// it has.
func unnamed(grants []Grant) (*iam.Document, int, error) {
	policy := &iam.Document{Version: iam.Version2012, Statements: Minimal(grants)}
	for i := range policy.Statements {
		policy.Statements[i].SID = ""
	}
	text, err := Compact(policy)
	return policy, len(text), err
}

// SessionPolicyText is [SessionPolicy] as AssumeRole takes it.
func SessionPolicyText(c *config.Config, m config.Mapping, roleName string) (string, error) {
	policy, err := SessionPolicy(c, m, roleName)
	if err != nil {
		return "", err
	}
	text, err := Compact(policy)
	return string(text), err
}
