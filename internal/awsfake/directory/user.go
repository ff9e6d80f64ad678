package directory

import (
	"slices"
	"strings"
	"time"

	"syncd/internal/awsfake/signature"
	"syncd/internal/iam"
)

// User is an IAM user with one pair of long-lived keys.
type User struct {
	Name, ARN, AccessKeyID, SecretAccessKey string

	Identity
	directory *Directory
	Account   *Account
	ID        string // AIDA...
	Path      string
	Created   time.Time
}

// CreateUser creates a user with the given identity policies.
func (d *Directory) CreateUser(a *Account, name string, policies ...*iam.Document) *User {
	u := d.NewUser(a, name, "/")
	u.replacePolicies(policies)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.Users[u.ARN] = u
	u.AccessKeyID, u.SecretAccessKey = u.AddAccessKey()
	return u
}

// NewUser returns a user that is not in the directory yet.
func (d *Directory) NewUser(a *Account, name, path string) *User {
	return &User{
		Name: name, ARN: a.ARN("iam", "", "user"+path+name),
		directory: d, Account: a, ID: "AIDA" + d.random.Letters(17), Path: path, Created: d.now(),
	}
}

// AddAccessKey creates a key pair for the user. The caller must hold the directory's lock.
func (u *User) AddAccessKey() (id, secret string) {
	c := u.directory
	id, secret = "AKIA"+c.random.Letters(16), c.random.Hex(20)
	c.Credentials[id] = &Credential{
		Secret: signature.NewSecret(secret), Account: u.Account, User: u, ID: u.ID, Created: c.now(),
		Caller: iam.Caller{ARN: u.ARN, Account: u.Account.id},
	}
	return id, secret
}

// AdminUser creates a user who is allowed everything. Each call creates a new user.
func (d *Directory) AdminUser(a *Account) *User {
	return d.CreateUser(a, "admin-"+strings.ToLower(d.random.Letters(6)), AllowEverything())
}

// SetPolicies replaces the user's identity policies.
func (u *User) SetPolicies(policies ...*iam.Document) {
	u.directory.mu.Lock()
	defer u.directory.mu.Unlock()
	u.replacePolicies(policies)
}

// SetBoundary sets the user's permissions boundary; nil removes it.
func (u *User) SetBoundary(boundary *iam.Document) {
	u.directory.mu.Lock()
	defer u.directory.mu.Unlock()
	u.Boundary = boundary
}

// AccessKeys returns the IDs of the user's keys. The caller must hold the directory's lock.
func (u *User) AccessKeys() []string {
	var ids []string
	for id, cred := range u.directory.Credentials {
		if cred.User == u {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// UserNamed returns the user with the given name and any path. The caller must hold the lock.
func (d *Directory) UserNamed(a *Account, name string) *User {
	for _, u := range d.Users {
		if u.Account == a && strings.EqualFold(u.Name, name) {
			return u
		}
	}
	return nil
}
