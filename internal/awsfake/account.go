package awsfake

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"syncd/internal/iam"
)

// Account is one AWS account.
type Account struct {
	cloud   *Cloud
	id      string
	org     string
	managed map[string]*Key // aws/s3 by region

	serviceControl, resourceControl []*iam.Document // of the organization; guarded by Cloud.mu

	stsRate, kmsRate limiter
}

// ID is the account's twelve digits.
func (a *Account) ID() string { return a.id }

// SetOrg puts the account into an organization ("o-..."), or with "" takes it out. Inside one organization S3 gives its reasons
// across accounts.
func (a *Account) SetOrg(id string) {
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	a.org = id
}

// SetServiceControl puts the account's users and roles under these service control policies, of which
// one must allow what they do anywhere; without any, none is in force.
func (a *Account) SetServiceControl(policies ...*iam.Document) {
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	a.serviceControl = policies
}

// SetResourceControl puts the account's buckets, keys and roles under these resource control policies,
// of which one must allow what anybody does with them; without any, none is in force. The keys that AWS
// manages are exempt.
func (a *Account) SetResourceControl(policies ...*iam.Document) {
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	a.resourceControl = policies
}

// User is an IAM user with one pair of long-lived keys.
type User struct {
	Name, ARN, AccessKeyID, SecretAccessKey string

	identity
	account *Account
	id      string // AIDA...
	path    string
	created time.Time
}

// CreateUser creates a user with these identity policies.
func (a *Account) CreateUser(name string, policies ...*iam.Document) *User {
	u := a.newUser(name, "/")
	u.replacePolicies(policies)
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	a.cloud.users[u.ARN] = u
	u.AccessKeyID, u.SecretAccessKey = u.addAccessKey()
	return u
}

func (a *Account) newUser(name, path string) *User {
	return &User{
		Name: name, ARN: fmt.Sprintf("arn:aws:iam::%s:user%s%s", a.id, path, name),
		account: a, id: "AIDA" + a.cloud.random.letters(17), path: path, created: a.cloud.now(),
	}
}

// addAccessKey gives the user a pair of keys. The caller holds Cloud.mu.
func (u *User) addAccessKey() (id, secret string) {
	c := u.account.cloud
	id, secret = "AKIA"+c.random.letters(16), c.random.hex(20)
	c.credentials[id] = &credential{
		secret: secret, account: u.account, user: u, id: u.id, created: c.now(),
		caller: iam.Caller{ARN: u.ARN, Account: u.account.id},
	}
	return id, secret
}

// AdminUser creates a user who may do everything; each call creates another one.
func (a *Account) AdminUser() *User {
	return a.CreateUser("admin-"+strings.ToLower(a.cloud.random.letters(6)), allowEverything())
}

// SetPolicies replaces the user's identity policies.
func (u *User) SetPolicies(policies ...*iam.Document) {
	u.account.cloud.mu.Lock()
	defer u.account.cloud.mu.Unlock()
	u.replacePolicies(policies)
}

// SetBoundary sets the user's permissions boundary; nil takes it away.
func (u *User) SetBoundary(boundary *iam.Document) {
	u.account.cloud.mu.Lock()
	defer u.account.cloud.mu.Unlock()
	u.boundary = boundary
}

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
	account     *Account
	id          string // AROA...
	path        string
	created     time.Time
	description string
	trust       *iam.Document
	tags        map[string]string
	maxSession  time.Duration
	deleted     bool
}

// CreateRole creates a role that the trust policy lets callers assume.
func (a *Account) CreateRole(name string, trust *iam.Document, o RoleOptions) *Role {
	r := a.newRole(name, trust, o)
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	a.cloud.roles[r.ARN] = r
	return r
}

func (a *Account) newRole(name string, trust *iam.Document, o RoleOptions) *Role {
	path := "/" + strings.Trim(o.Path, "/") + "/"
	if path == "//" {
		path = "/"
	}
	r := &Role{
		Name: name, ARN: fmt.Sprintf("arn:aws:iam::%s:role%s%s", a.id, path, name), identity: identity{boundary: o.Boundary},
		account: a, id: "AROA" + a.cloud.random.letters(17), path: path, created: a.cloud.now(), trust: trust,
		tags: maps.Clone(o.Tags), maxSession: cmp.Or(o.MaxSession, time.Hour),
	}
	r.replacePolicies(o.Policies)
	return r
}

// SetPolicies replaces the role's identity policies, for sessions under way too.
func (r *Role) SetPolicies(policies ...*iam.Document) {
	r.account.cloud.mu.Lock()
	defer r.account.cloud.mu.Unlock()
	r.replacePolicies(policies)
}

// SetBoundary sets the role's permissions boundary, for sessions under way too; nil takes it away.
func (r *Role) SetBoundary(boundary *iam.Document) {
	r.account.cloud.mu.Lock()
	defer r.account.cloud.mu.Unlock()
	r.boundary = boundary
}

// SetTrust replaces the role's trust policy. Sessions under way go on.
func (r *Role) SetTrust(trust *iam.Document) {
	r.account.cloud.mu.Lock()
	defer r.account.cloud.mu.Unlock()
	r.trust = trust
}

// Revoke ends every session of the role at once: their next request meets an expired token.
func (r *Role) Revoke() {
	c := r.account.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cred := range c.credentials {
		if cred.role == r {
			cred.expires = c.now()
		}
	}
}

// credential is an access key and who signs with it: a user, or a session of a role.
type credential struct {
	secret, token string
	created       time.Time // of a user's
	expires       time.Time // zero for a user; guarded by Cloud.mu
	account       *Account
	caller        iam.Caller
	id            string // the unique id: AIDA..., or AROA...:session

	user *User // or
	role *Role

	session        []*iam.Document
	tags           map[string]string // session tags, the transitive ones of earlier hops included
	transitive     []string
	sourceIdentity string

	mu          sync.Mutex
	signingKeys map[string][]byte // by date/region/service
}

// policies are the caller's own policies as they are now. The caller holds Cloud.mu.
func (cr *credential) policies() iam.Policies {
	if cr.role != nil {
		return iam.Policies{Identity: cr.role.policies, Boundary: cr.role.boundary, Session: cr.session}
	}
	return iam.Policies{Identity: cr.user.policies, Boundary: cr.user.boundary}
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

func containsFold(list []string, want string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, want) })
}
