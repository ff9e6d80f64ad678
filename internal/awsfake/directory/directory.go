// Package directory is who there is: accounts, users and roles with their policies, and the
// credentials with which they sign.
//
// It promises that what is asked of it is of one moment, under one lock, and that a policy which
// names a deleted principal shows the id of that principal from then on, here and in every package
// that has said so with [Directory.OnRename]. How principals are made over the wire it leaves to
// package identity, sessions to package sts, and what they may do to package core.
//
// Words to know. A [Credential] is an access key and who signs with it; an [Identity] is what users
// and roles have in common, the policies that say what they may do.
package directory

import (
	"sync"
	"time"

	"syncd/internal/awsfake/random"
	"syncd/internal/iam"
)

// Directory is who there is: accounts, users and roles with their policies, and the credentials
// with which they sign.
type Directory struct {
	now    func() time.Time
	random *random.Source

	mu          sync.RWMutex // guards the maps, and the policies of what is in them
	accounts    map[string]*Account
	Credentials map[string]*Credential    // by access key id
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

// View runs read while nothing changes.
func (d *Directory) View(read func()) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	read()
}

// Update runs change while nobody else reads.
func (d *Directory) Update(change func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change()
}

// Account returns the account of that id, which begins to exist with its first use.
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

// OnRename has policies that the directory does not hold renamed too, when a role or user that they
// name is deleted: its ARN becomes its id. The function runs under the directory's lock.
func (d *Directory) OnRename(rename func(arn, id string)) { d.renames = append(d.renames, rename) }

// RenamePrincipal puts the id of a deleted role or user into the policies that name it. The caller
// holds the lock.
func (d *Directory) RenamePrincipal(arn, id string) {
	for _, rename := range d.renames {
		rename(arn, id)
	}
	for _, role := range d.Roles {
		role.Trust = Renamed(role.Trust, arn, id)
	}
}

// ResourceControl are the resource control policies that rule over the resources of an account.
func (d *Directory) ResourceControl(account string) []*iam.Document {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if a := d.accounts[account]; a != nil {
		return a.resourceControl
	}
	return nil
}

// Related reports whether two accounts are one, or of one organization.
func (d *Directory) Related(one, other string) bool {
	if one == other {
		return true
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	a, b := d.accounts[one], d.accounts[other]
	return a != nil && b != nil && a.org != "" && a.org == b.org
}

// Credential is the one of an access key, and when it expires, zero for never; nil when there is
// none.
func (d *Directory) Credential(accessKey string) (*Credential, time.Time) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	cred := d.Credentials[accessKey]
	if cred == nil {
		return nil, time.Time{}
	}
	return cred, cred.Expires
}
