// Package awsfake is a working double of S3, STS, KMS, IAM and CloudFormation of several AWS
// accounts behind one HTTP endpoint.
//
// It promises what a careful client could notice: signatures are verified, sessions expire, every
// request is authorised by [iam.Evaluate] against the policies of the caller, of the bucket, key or
// role, of their organizations and of the VPC endpoint, S3 calls KMS as the caller, object bytes
// are encrypted at rest under the named key, and refusals carry AWS's codes, statuses and
// sentences. What it does not know it refuses with 501 and the operation's name; it never guesses.
//
// It leaves out what a copy of a bucket never meets: ACLs other than the owner's (an object that
// another account owns is put by the owner's hand), reading under a key of the customer (SSE-C),
// the default retention of object lock, acting on lifecycle rules, replication, notifications,
// anonymous requests, and eventual consistency. Bucket keys are not cached: every use asks KMS
// again, so that a revoked grant is felt at once.
//
// Words to know. A [Cloud] is the whole of AWS; it has two entry points, a listener
// ([Cloud.ServeHTTP]) and an in-memory one ([Cloud.RoundTripper]), and an [Endpoint] is another
// pair of them, inside a VPC. The owner's hand is the Go API of [Account], [Bucket] and [Key]: it
// arranges the world without a request, and is neither authorised nor counted. A fault is a named
// misbehaviour hung on requests with [Cloud.Inject]; [Rates] are how much a bucket takes before it
// says SlowDown. A synthetic body is generated when it is read and costs no memory.
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

// Account returns the account of that id, which begins to exist with its first use.
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

// SetPackedPolicyLimit makes AssumeRole refuse session policies and tags that together, the
// inherited ones included, are longer than so many bytes, and otherwise say how much of it they
// took; 0 is no limit. AWS has had such a limit on a packed form that it does not describe; the
// fake packs nothing.
func (c *Cloud) SetPackedPolicyLimit(bytes int) { c.sts.SetPackedPolicyLimit(bytes) }

// Account is one AWS account.
type Account struct {
	*directory.Account
	cloud *Cloud
}

// CreateUser creates a user with these identity policies.
func (a *Account) CreateUser(name string, policies ...*iam.Document) *User {
	return a.cloud.Directory.CreateUser(a.Account, name, policies...)
}

// AdminUser creates a user who may do everything; each call creates another one.
func (a *Account) AdminUser() *User { return a.cloud.Directory.AdminUser(a.Account) }

// CreateRole creates a role that the trust policy lets callers assume.
func (a *Account) CreateRole(name string, trust *iam.Document, o RoleOptions) *Role {
	return a.cloud.Directory.CreateRole(a.Account, name, trust, o)
}

// CreateKey creates a symmetric key. Without a policy it gets the one that AWS gives: everything is
// delegated to the IAM policies of the account.
func (a *Account) CreateKey(region string, policy *iam.Document) *Key {
	return a.cloud.keys.CreateKey(a.Account, region, policy)
}

// CreateBucket creates a bucket that the account owns. Names are shared by all accounts; one that
// is taken is a bug of the caller and panics.
func (a *Account) CreateBucket(name, region string, o BucketOptions) *Bucket {
	return a.cloud.store.CreateBucket(a.Account, name, region, o)
}

// CreateAccessPoint creates an access point of a bucket, which may be another account's. A name
// that the account uses in the bucket's region is a bug of the caller and panics.
func (a *Account) CreateAccessPoint(name string, b *Bucket, policy *iam.Document) *AccessPoint {
	return a.cloud.store.CreateAccessPoint(a.Account, name, b, policy)
}

// SetKMSRate limits the account's calls of KMS in all its Regions together, on anybody's keys: a
// call counts on its caller's account ("Request quotas", AWS KMS Developer Guide); 0 is no limit.
func (a *Account) SetKMSRate(perSecond float64) { a.cloud.keys.SetRate(a.ID(), perSecond) }

// SetSTSRate limits the account's calls of STS; an AssumeRole of another account's role counts on
// its caller's account. Beyond it STS answers 400 ThrottlingException. 0 is no limit; AWS's is 600.
func (a *Account) SetSTSRate(perSecond float64) { a.cloud.sts.SetRate(a.ID(), perSecond) }
