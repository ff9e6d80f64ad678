package awsfake

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd/internal/iam"
)

// User is an IAM user with one pair of long-lived keys.
type User struct {
	Name, ARN, AccessKeyID, SecretAccessKey string

	identity
	directory *directory
	account   *dirAccount
	id        string // AIDA...
	path      string
	created   time.Time
}

// createUser creates a user with these identity policies.
func (d *directory) createUser(a *dirAccount, name string, policies ...*iam.Document) *User {
	u := d.newUser(a, name, "/")
	u.replacePolicies(policies)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.users[u.ARN] = u
	u.AccessKeyID, u.SecretAccessKey = u.addAccessKey()
	return u
}

// newUser is a user that is not in the directory yet.
func (d *directory) newUser(a *dirAccount, name, path string) *User {
	return &User{
		Name: name, ARN: fmt.Sprintf("arn:aws:iam::%s:user%s%s", a.id, path, name),
		directory: d, account: a, id: "AIDA" + d.random.letters(17), path: path, created: d.now(),
	}
}

// addAccessKey gives the user a pair of keys. The caller holds the directory's lock.
func (u *User) addAccessKey() (id, secret string) {
	c := u.directory
	id, secret = "AKIA"+c.random.letters(16), c.random.hex(20)
	c.credentials[id] = &credential{
		secret: newSecret(secret), account: u.account, user: u, id: u.id, created: c.now(),
		caller: iam.Caller{ARN: u.ARN, Account: u.account.id},
	}
	return id, secret
}

// adminUser creates a user who may do everything; each call creates another one.
func (d *directory) adminUser(a *dirAccount) *User {
	return d.createUser(a, "admin-"+strings.ToLower(d.random.letters(6)), allowEverything())
}

// SetPolicies replaces the user's identity policies.
func (u *User) SetPolicies(policies ...*iam.Document) {
	u.directory.mu.Lock()
	defer u.directory.mu.Unlock()
	u.replacePolicies(policies)
}

// SetBoundary sets the user's permissions boundary; nil takes it away.
func (u *User) SetBoundary(boundary *iam.Document) {
	u.directory.mu.Lock()
	defer u.directory.mu.Unlock()
	u.boundary = boundary
}

// accessKeys are the ids of the user's keys. The caller holds the directory's lock.
func (u *User) accessKeys() []string {
	var ids []string
	for id, cred := range u.directory.credentials {
		if cred.user == u {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// userNamed finds a user whatever its path. The caller holds the lock.
func (d *directory) userNamed(a *dirAccount, name string) *User {
	for _, u := range d.users {
		if u.account == a && strings.EqualFold(u.Name, name) {
			return u
		}
	}
	return nil
}
