package awsfake

import (
	"cmp"
	"fmt"
	"maps"
	"strings"
	"time"

	"syncd/internal/iam"
)

// RoleOptions are the settings of a role besides its trust policy.
type RoleOptions struct {
	Policies   []*iam.Document
	Boundary   *iam.Document // the permissions boundary; nil for none
	Tags       map[string]string
	MaxSession time.Duration // 0: one hour
	Path       string        // "/team/"; "" is "/"
}

// Role is an IAM role.
type Role struct {
	Name, ARN string

	identity
	directory   *directory
	account     *dirAccount
	id          string // AROA...
	path        string
	created     time.Time
	description string
	trust       *iam.Document
	tags        map[string]string
	maxSession  time.Duration
	deleted     bool
}

// createRole creates a role that the trust policy lets callers assume.
func (d *directory) createRole(a *dirAccount, name string, trust *iam.Document, o RoleOptions) *Role {
	r := d.newRole(a, name, trust, o)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.roles[r.ARN] = r
	return r
}

// newRole is a role that is not in the directory yet.
func (d *directory) newRole(a *dirAccount, name string, trust *iam.Document, o RoleOptions) *Role {
	path := "/" + strings.Trim(o.Path, "/") + "/"
	if path == "//" {
		path = "/"
	}
	r := &Role{
		Name: name, ARN: fmt.Sprintf("arn:aws:iam::%s:role%s%s", a.id, path, name), identity: identity{boundary: o.Boundary},
		directory: d, account: a, id: "AROA" + d.random.letters(17), path: path, created: d.now(), trust: trust,
		tags: maps.Clone(o.Tags), maxSession: cmp.Or(o.MaxSession, time.Hour),
	}
	r.replacePolicies(o.Policies)
	return r
}

// SetPolicies replaces the role's identity policies, for sessions under way too.
func (r *Role) SetPolicies(policies ...*iam.Document) {
	r.directory.mu.Lock()
	defer r.directory.mu.Unlock()
	r.replacePolicies(policies)
}

// SetBoundary sets the role's permissions boundary, for sessions under way too; nil takes it away.
func (r *Role) SetBoundary(boundary *iam.Document) {
	r.directory.mu.Lock()
	defer r.directory.mu.Unlock()
	r.boundary = boundary
}

// SetTrust replaces the role's trust policy. Sessions under way go on.
func (r *Role) SetTrust(trust *iam.Document) {
	r.directory.mu.Lock()
	defer r.directory.mu.Unlock()
	r.trust = trust
}

// Revoke ends every session of the role at once: their next request meets an expired token.
func (r *Role) Revoke() {
	c := r.directory
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cred := range c.credentials {
		if cred.role == r {
			cred.expires = c.now()
		}
	}
}

// Delete deletes the role. Its sessions may do no more than anybody; and a policy that names the role
// was about this very role: from now on it shows the role's id (AROA...) and means nobody, even when
// another role of that name is created ("AWS JSON policy elements: Principal", IAM User Guide).
func (r *Role) Delete() {
	r.directory.mu.Lock()
	defer r.directory.mu.Unlock()
	r.remove()
}

// remove is Delete for a caller that holds Cloud.mu.
func (r *Role) remove() {
	c := r.directory
	if c.roles[r.ARN] == r {
		delete(c.roles, r.ARN)
	}
	r.deleted, r.trust, r.identity = true, nil, identity{}
	c.renamePrincipal(r.ARN, r.id)
}

// roleNamed finds a role whatever its path. The caller holds the lock.
func (d *directory) roleNamed(a *dirAccount, name string) *Role {
	for _, r := range d.roles {
		if r.account == a && strings.EqualFold(r.Name, name) {
			return r
		}
	}
	return nil
}
