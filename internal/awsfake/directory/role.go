package directory

import (
	"cmp"
	"maps"
	"strings"
	"time"

	"syncd/internal/iam"
)

// RoleOptions are the settings of a role other than its trust policy.
type RoleOptions struct {
	Policies   []*iam.Document
	Boundary   *iam.Document // permissions boundary; nil for none
	Tags       map[string]string
	MaxSession time.Duration // 0: one hour
	Path       string        // "/team/"; "" is "/"
}

// Role is an IAM role.
type Role struct {
	Name, ARN string

	Identity
	directory   *Directory
	Account     *Account
	ID          string // AROA...
	Path        string
	Created     time.Time
	Description string
	Trust       *iam.Document
	Tags        map[string]string
	MaxSession  time.Duration
	deleted     bool
}

// CreateRole creates a role whose trust policy decides who can assume it.
func (d *Directory) CreateRole(a *Account, name string, trust *iam.Document, o RoleOptions) *Role {
	r := d.NewRole(a, name, trust, o)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Roles[r.ARN] = r
	return r
}

// NewRole returns a role that is not in the directory yet.
func (d *Directory) NewRole(a *Account, name string, trust *iam.Document, o RoleOptions) *Role {
	path := "/" + strings.Trim(o.Path, "/") + "/"
	if path == "//" {
		path = "/"
	}
	r := &Role{
		Name: name, ARN: a.ARN("iam", "", "role"+path+name), Identity: Identity{Boundary: o.Boundary},
		directory: d, Account: a, ID: "AROA" + d.random.Letters(17), Path: path, Created: d.now(), Trust: trust,
		Tags: maps.Clone(o.Tags), MaxSession: cmp.Or(o.MaxSession, time.Hour),
	}
	r.replacePolicies(o.Policies)
	return r
}

// SetPolicies replaces the role's identity policies. The change also applies to existing sessions.
func (r *Role) SetPolicies(policies ...*iam.Document) {
	r.directory.mu.Lock()
	defer r.directory.mu.Unlock()
	r.replacePolicies(policies)
}

// SetBoundary sets the role's permissions boundary; nil removes it. The change also applies to
// existing sessions.
func (r *Role) SetBoundary(boundary *iam.Document) {
	r.directory.mu.Lock()
	defer r.directory.mu.Unlock()
	r.Boundary = boundary
}

// SetTrust replaces the role's trust policy. Existing sessions stay valid.
func (r *Role) SetTrust(trust *iam.Document) {
	r.directory.mu.Lock()
	defer r.directory.mu.Unlock()
	r.Trust = trust
}

// Revoke ends every session of the role at once: their next request fails with an expired token.
func (r *Role) Revoke() {
	c := r.directory
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cred := range c.Credentials {
		if cred.Role == r {
			cred.Expires = c.now()
		}
	}
}

// Delete deletes the role. Its sessions lose all permissions. Policies that name the role show its
// ID (AROA...) from then on and match no one, even if another role of the same name is created
// ("AWS JSON policy elements: Principal", IAM User Guide).
func (r *Role) Delete() {
	r.directory.mu.Lock()
	defer r.directory.mu.Unlock()
	r.Remove()
}

// Remove is like [Role.Delete] for a caller that holds the directory's lock.
func (r *Role) Remove() {
	c := r.directory
	if c.Roles[r.ARN] == r {
		delete(c.Roles, r.ARN)
	}
	r.deleted, r.Trust, r.Identity = true, nil, Identity{}
	c.RenamePrincipal(r.ARN, r.ID)
}

// RoleNamed returns the role with the given name and any path. The caller must hold the lock.
func (d *Directory) RoleNamed(a *Account, name string) *Role {
	for _, r := range d.Roles {
		if r.Account == a && strings.EqualFold(r.Name, name) {
			return r
		}
	}
	return nil
}
