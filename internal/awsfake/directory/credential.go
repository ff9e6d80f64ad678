package directory

import (
	"maps"
	"slices"
	"time"

	"syncd/internal/awsfake/signature"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// Credential is an access key and its owner: a user, or a session of a role.
type Credential struct {
	Secret  *signature.Secret
	Token   string
	Created time.Time // for a user's key
	Expires time.Time // zero for a user; guarded by the directory
	Account *Account
	Caller  iam.Caller
	ID      string // the unique ID: AIDA..., or AROA...:session

	User *User // or
	Role *Role

	Session        []*iam.Document
	Tags           map[string]string // session tags, including transitive tags of earlier sessions
	Transitive     []string
	SourceIdentity string
}

// principalTags returns the caller's tags: the tags of the role and of the session. If both have a
// tag with the same key, ignoring case, the session's tag applies.
func (cr *Credential) principalTags() map[string]string {
	out := map[string]string{}
	if cr.Role == nil {
		return out
	}
	session := slices.Collect(maps.Keys(cr.Tags))
	for k, v := range cr.Role.Tags {
		if !wire.ContainsFold(session, k) {
			out[k] = v
		}
	}
	maps.Copy(out, cr.Tags)
	return out
}

// Policies returns the caller's own policies at this moment.
func (cr *Credential) Policies() iam.Policies {
	cr.Account.mu.RLock()
	defer cr.Account.mu.RUnlock()
	p := iam.Policies{ServiceControl: cr.Account.serviceControl}
	if cr.Role != nil {
		p.Identity, p.Boundary, p.Session = cr.Role.policies, cr.Role.Boundary, cr.Session
	} else {
		p.Identity, p.Boundary = cr.User.policies, cr.User.Boundary
	}
	return p
}

// Identity returns the caller as policies see it. A session of a deleted role does not belong to a
// role of the same name that was created later.
func (cr *Credential) Identity() iam.Caller {
	cr.Account.mu.RLock()
	defer cr.Account.mu.RUnlock()
	caller := cr.Caller
	if cr.Role != nil && cr.Role.deleted {
		caller.RoleARN = cr.Role.ID
	}
	return caller
}

// Describe adds the context keys that describe the caller ("AWS global condition context keys", IAM
// User Guide).
func (cr *Credential) Describe(f map[string][]string) {
	cr.Account.mu.RLock()
	defer cr.Account.mu.RUnlock()
	f["aws:PrincipalAccount"], f["aws:userid"] = []string{cr.Account.id}, []string{cr.ID}
	if cr.Account.org != "" {
		f["aws:PrincipalOrgID"] = []string{cr.Account.org}
	}
	if cr.User != nil {
		f["aws:username"] = []string{cr.User.Name}
		f["aws:PrincipalType"] = []string{"User"}
		f["aws:PrincipalArn"] = []string{cr.User.ARN}
	} else {
		f["aws:PrincipalType"] = []string{"AssumedRole"}
		f["aws:PrincipalArn"] = []string{cr.Role.ARN}
	}
	if cr.SourceIdentity != "" {
		f["aws:SourceIdentity"] = []string{cr.SourceIdentity}
	}
	for k, v := range cr.principalTags() {
		f["aws:PrincipalTag/"+k] = []string{v}
	}
}
