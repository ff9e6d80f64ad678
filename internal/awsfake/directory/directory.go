// Package directory stores accounts, users and roles with their policies, and the credentials that
// they sign with.
//
// It guarantees consistent reads under one lock. When a principal is deleted, every policy that
// names it shows the principal's ID from then on, both in this package and in every package that
// registered with [Directory.OnRename]. Package identity implements the API that creates
// principals, package sts creates the sessions, and package core authorises requests.
//
// Terms: a [Credential] is an access key and its owner. An [Identity] contains what users and roles
// have in common: the policies that define what they may do.
package directory

import (
	"sync"
	"time"

	"syncd/internal/awsfake/random"
	"syncd/internal/iam"
)

// Directory stores accounts, users and roles with their policies, and their credentials.
type Directory struct {
	now    func() time.Time
	random *random.Source

	mu          sync.RWMutex // guards the maps, and the policies of the entries
	accounts    map[string]*Account
	Credentials map[string]*Credential    // by access key ID
	Users       map[string]*User          // by ARN
	Roles       map[string]*Role          // by ARN
	Managed     map[string]*ManagedPolicy // policies, by ARN
	renames     []func(arn, id string)
}

// New returns a directory without accounts.
func New(now func() time.Time, r *random.Source) *Directory {
	return &Directory{
		now: now, random: r, accounts: map[string]*Account{}, Credentials: map[string]*Credential{},
		Users: map[string]*User{}, Roles: map[string]*Role{}, Managed: managedByAWS(),
	}
}

// View runs read under the read lock.
func (d *Directory) View(read func()) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	read()
}

// Update runs change under the write lock.
func (d *Directory) Update(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// Account returns the account with the given ID. It creates the account on first use.
func (d *Directory) Account(id string) *Account {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.accounts[id]
	if a == nil {
		a = &Account{mu: &d.mu, id: id}
		d.accounts[id] = a
	}
	return a
}

// OnRename registers a function that is called when a role or user is deleted. The function must
// replace the ARN with the ID in the policies that are stored outside the directory. It runs under
// the directory's lock.
func (d *Directory) OnRename(rename func(arn, id string)) { d.renames = append(d.renames, rename) }

// RenamePrincipal replaces the ARN of a deleted role or user with its ID in all policies that name
// it. The caller must hold the lock.
func (d *Directory) RenamePrincipal(arn, id string) {
	for _, rename := range d.renames {
		rename(arn, id)
	}
	for _, role := range d.Roles {
		role.Trust = Renamed(role.Trust, arn, id)
	}
}

// ResourceControl returns the resource control policies that apply to the resources of an account.
func (d *Directory) ResourceControl(account string) []*iam.Document {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if a := d.accounts[account]; a != nil {
		return a.resourceControl
	}
	return nil
}

// Related reports whether two accounts are the same or belong to the same organization.
func (d *Directory) Related(one, other string) bool {
	if one == other {
		return true
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	a, b := d.accounts[one], d.accounts[other]
	return a != nil && b != nil && a.org != "" && a.org == b.org
}

// Credential returns the credential of an access key and the time at which it expires. The
// credential is nil if the access key does not exist. A zero time means that the credential never
// expires.
func (d *Directory) Credential(accessKey string) (*Credential, time.Time) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	cred := d.Credentials[accessKey]
	if cred == nil {
		return nil, time.Time{}
	}
	return cred, cred.Expires
}
