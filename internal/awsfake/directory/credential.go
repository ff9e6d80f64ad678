package directory

import (
	"maps"
	"slices"
	"time"

	"syncd/internal/awsfake/signature"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// Credential is an access key and who signs with it: a user, or a session of a role.
type Credential struct {
	Secret  *signature.Secret
	Token   string
	Created time.Time // of a user's
	Expires time.Time // zero for a user; guarded by the directory
	Account *Account
	Caller  iam.Caller
	ID      string // the unique id: AIDA..., or AROA...:session

	User *User // or
	Role *Role

	Session        []*iam.Document
	Tags           map[string]string // session tags, the transitive ones of earlier hops included
	Transitive     []string
	SourceIdentity string
}

// principalTags are the caller's tags: the role's, overridden by the session's without regard to
// case.
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

// Policies are the caller's own policies as they are now.
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

// Identity is the caller as policies know it. A session of a deleted role is no longer one of the
// role of that name that was created after it.
func (cr *Credential) Identity() iam.Caller {
	cr.Account.mu.RLock()
	defer cr.Account.mu.RUnlock()
	caller := cr.Caller
	if cr.Role != nil && cr.Role.deleted {
		caller.RoleARN = cr.Role.ID
	}
	return caller
}

// Describe adds the context keys about the caller ("AWS global condition context keys", IAM User
// Guide).
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
