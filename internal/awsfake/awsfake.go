// Package awsfake is a fake of S3, STS, KMS, IAM and CloudFormation. It serves several AWS accounts
// from one HTTP endpoint.
//
// It behaves like AWS in everything that a careful client could notice. It verifies signatures, and
// its sessions expire. It authorises every request with [iam.Evaluate] against the policies of the
// caller, of the bucket, key or role, of their organizations and of the VPC endpoint. S3 calls KMS
// as the caller and encrypts object bytes at rest under the named key. Errors have AWS's codes,
// statuses and messages. The fake never guesses: a request for something that it does not implement
// gets status 501 and the name of the operation.
//
// It omits what a copy between buckets does not use: ACLs other than bucket-owner-full-control (use
// the Go API to put an object that another account owns), reading with customer-provided keys
// (SSE-C), the default retention of object lock, the effects of lifecycle rules, replication,
// notifications, anonymous requests, and eventual consistency. It does not cache bucket keys: every
// use calls KMS, so that revoking a grant takes effect at once.
//
// Terms: a [Cloud] is all of AWS. It has two entry points, one for a listener ([Cloud.ServeHTTP])
// and one in memory ([Cloud.RoundTripper]). An [Endpoint] is another pair of entry points, inside a
// VPC. Tests create resources with the Go API of [Account], [Bucket] and [Key], whose calls are
// neither authorised nor counted. A fault is a named misbehaviour that [Cloud.Inject] applies to
// matching requests. [Rates] limit how many requests per second a bucket serves; it answers further
// requests with SlowDown. A synthetic body is generated while it is read and uses no memory.
package awsfake

import (
	"sync"

	"syncd/internal/awsfake/cloudformation"
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/identity"
	"syncd/internal/awsfake/kms"
	"syncd/internal/awsfake/s3"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/sts"
	"syncd/internal/iam"
)

// Cloud is every account of the fake AWS. It is safe for concurrent use.
type Cloud struct {
	*core.Cloud
	keys  *kms.Service
	sts   *sts.Service
	store *store.Store

	mu       sync.Mutex
	accounts map[string]*Account
}

// New returns a cloud without accounts.
func New(o Options) *Cloud {
	c := core.New(o)
	keys := kms.New(c)
	fake := &Cloud{Cloud: c, keys: keys, sts: sts.New(c), store: store.New(c, keys), accounts: map[string]*Account{}}
	identity.Serve(c)
	cloudformation.Serve(c)
	s3.Serve(c, fake.store)
	return fake
}

// Account returns the account with the given ID. It creates the account on first use.
func (c *Cloud) Account(id string) *Account {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accounts[id]
	if a == nil {
		a = &Account{Account: c.Directory.Account(id), cloud: c}
		c.accounts[id] = a
	}
	return a
}

// SetPackedPolicyLimit sets the maximum total length in bytes of the session policies and tags,
// including inherited tags, that AssumeRole accepts; 0 means no limit. If the length is within the
// limit, AssumeRole returns the percentage of the limit that is used. AWS limits the length in an
// undocumented packed format instead, which the fake does not use.
func (c *Cloud) SetPackedPolicyLimit(bytes int) { c.sts.SetPackedPolicyLimit(bytes) }

// Account is one AWS account.
type Account struct {
	*directory.Account
	cloud *Cloud
}

// CreateUser creates a user with the given identity policies.
func (a *Account) CreateUser(name string, policies ...*iam.Document) *User {
	return a.cloud.Directory.CreateUser(a.Account, name, policies...)
}

// AdminUser creates a user who is allowed everything. Each call creates a new user.
func (a *Account) AdminUser() *User { return a.cloud.Directory.AdminUser(a.Account) }

// CreateRole creates a role whose trust policy decides who can assume it.
func (a *Account) CreateRole(name string, trust *iam.Document, o RoleOptions) *Role {
	return a.cloud.Directory.CreateRole(a.Account, name, trust, o)
}

// CreateKey creates a symmetric key. A nil policy means AWS's default key policy, which delegates
// everything to the IAM policies of the account.
func (a *Account) CreateKey(region string, policy *iam.Document) *Key {
	return a.cloud.keys.CreateKey(a.Account, region, policy)
}

// CreateBucket creates a bucket that the account owns. All accounts share one namespace of bucket
// names; CreateBucket panics if the name is taken.
func (a *Account) CreateBucket(name, region string, o BucketOptions) *Bucket {
	return a.cloud.store.CreateBucket(a.Account, name, region, o)
}

// CreateAccessPoint creates an access point for a bucket; the bucket can belong to another account.
// It panics if the account already uses the name in the bucket's Region.
func (a *Account) CreateAccessPoint(name string, b *Bucket, policy *iam.Document) *AccessPoint {
	return a.cloud.store.CreateAccessPoint(a.Account, name, b, policy)
}

// SetKMSRate limits the KMS calls per second that callers of the account make, in all Regions
// together and with keys of any account ("Request quotas", AWS KMS Developer Guide); 0 means no
// limit.
func (a *Account) SetKMSRate(perSecond float64) { a.cloud.keys.SetRate(a.ID(), perSecond) }

// SetSTSRate limits the account's STS calls per second; 0 means no limit. A call that assumes
// another account's role counts against the caller's account. Above the limit, STS answers 400
// ThrottlingException. AWS's limit is 600 calls per second.
func (a *Account) SetSTSRate(perSecond float64) { a.cloud.sts.SetRate(a.ID(), perSecond) }
