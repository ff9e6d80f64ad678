package awsfake

import (
	"maps"
	"slices"
	"time"

	"syncd/internal/iam"
)

// credential is an access key and who signs with it: a user, or a session of a role.
type credential struct {
	secret  *secret
	token   string
	created time.Time // of a user's
	expires time.Time // zero for a user; guarded by the directory
	account *dirAccount
	caller  iam.Caller
	id      string // the unique id: AIDA..., or AROA...:session

	user *User // or
	role *Role

	session        []*iam.Document
	tags           map[string]string // session tags, the transitive ones of earlier hops included
	transitive     []string
	sourceIdentity string
}

// principalTags are the caller's tags: the role's, overridden by the session's without regard to case.
func (cr *credential) principalTags() map[string]string {
	out := map[string]string{}
	if cr.role == nil {
		return out
	}
	session := slices.Collect(maps.Keys(cr.tags))
	for k, v := range cr.role.tags {
		if !containsFold(session, k) {
			out[k] = v
		}
	}
	maps.Copy(out, cr.tags)
	return out
}

// policies are the caller's own policies as they are now.
func (cr *credential) policies() iam.Policies {
	cr.account.mu.RLock()
	defer cr.account.mu.RUnlock()
	p := iam.Policies{ServiceControl: cr.account.serviceControl}
	if cr.role != nil {
		p.Identity, p.Boundary, p.Session = cr.role.policies, cr.role.boundary, cr.session
	} else {
		p.Identity, p.Boundary = cr.user.policies, cr.user.boundary
	}
	return p
}

// identity is the caller as policies know it. A session of a deleted role is no longer one of the
// role of that name that was created after it.
func (cr *credential) identity() iam.Caller {
	cr.account.mu.RLock()
	defer cr.account.mu.RUnlock()
	caller := cr.caller
	if cr.role != nil && cr.role.deleted {
		caller.RoleARN = cr.role.id
	}
	return caller
}

// facts are the context keys about the caller ("AWS global condition context keys", IAM User Guide).
func (cr *credential) facts() map[string][]string {
	cr.account.mu.RLock()
	defer cr.account.mu.RUnlock()
	f := map[string][]string{"aws:PrincipalAccount": {cr.account.id}, "aws:userid": {cr.id}}
	if cr.account.org != "" {
		f["aws:PrincipalOrgID"] = []string{cr.account.org}
	}
	if cr.user != nil {
		f["aws:username"] = []string{cr.user.Name}
		f["aws:PrincipalType"] = []string{"User"}
		f["aws:PrincipalArn"] = []string{cr.user.ARN}
	} else {
		f["aws:PrincipalType"] = []string{"AssumedRole"}
		f["aws:PrincipalArn"] = []string{cr.role.ARN}
	}
	if cr.sourceIdentity != "" {
		f["aws:SourceIdentity"] = []string{cr.sourceIdentity}
	}
	for k, v := range cr.principalTags() {
		f["aws:PrincipalTag/"+k] = []string{v}
	}
	return f
}
