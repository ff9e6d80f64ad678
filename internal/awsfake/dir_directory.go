package awsfake

import (
	"sync"
	"time"

	"syncd/internal/iam"
)

// directory is who there is: accounts, users and roles with their policies, and the credentials with which they sign.
type directory struct {
	now    func() time.Time
	random *random

	mu          sync.RWMutex // guards the maps, and the policies of what is in them
	accounts    map[string]*dirAccount
	credentials map[string]*credential // by access key id
	users       map[string]*User       // by ARN
	roles       map[string]*Role       // by ARN
	managed     map[string]*managed    // policies, by ARN
	renames     []func(arn, id string)
}

// newDirectory returns a directory without accounts.
func newDirectory(now func() time.Time, r *random) *directory {
	return &directory{
		now: now, random: r, accounts: map[string]*dirAccount{}, credentials: map[string]*credential{},
		users: map[string]*User{}, roles: map[string]*Role{}, managed: managedByAWS(),
	}
}

// view runs read while nothing changes.
func (d *directory) view(read func()) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	read()
}

// update runs change while nobody else reads.
func (d *directory) update(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// account returns the account of that id, which begins to exist with its first use.
func (d *directory) account(id string) *dirAccount {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.accounts[id]
	if a == nil {
		a = &dirAccount{mu: &d.mu, id: id}
		d.accounts[id] = a
	}
	return a
}

// onRename has policies that the directory does not hold renamed too, when a role or user that they name is deleted: its ARN becomes
// its id. The function runs under the directory's lock.
func (d *directory) onRename(rename func(arn, id string)) { d.renames = append(d.renames, rename) }

// renamePrincipal puts the id of a deleted role or user into the policies that name it. The caller holds the lock.
func (d *directory) renamePrincipal(arn, id string) {
	for _, rename := range d.renames {
		rename(arn, id)
	}
	for _, role := range d.roles {
		role.trust = renamed(role.trust, arn, id)
	}
}

// resourceControl are the resource control policies that rule over the resources of an account.
func (d *directory) resourceControl(account string) []*iam.Document {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if a := d.accounts[account]; a != nil {
		return a.resourceControl
	}
	return nil
}

// related reports whether two accounts are one, or of one organization.
func (d *directory) related(one, other string) bool {
	if one == other {
		return true
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	a, b := d.accounts[one], d.accounts[other]
	return a != nil && b != nil && a.org != "" && a.org == b.org
}

// credential is the one of an access key, and when it expires, zero for never; nil when there is none.
func (d *directory) credential(accessKey string) (*credential, time.Time) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	cred := d.credentials[accessKey]
	if cred == nil {
		return nil, time.Time{}
	}
	return cred, cred.expires
}
