package awsfake

import (
	"sync"

	"syncd/internal/iam"
)

// Cloud is every account of the fake AWS. It is safe for concurrent use.
type Cloud struct {
	*hub
	keys  *kmsService
	sts   *stsService
	store *s3Store

	mu       sync.Mutex
	accounts map[string]*Account
}

// New returns a cloud without accounts.
func New(o Options) *Cloud {
	c := newHub(o)
	keys := newKMS(c)
	fake := &Cloud{hub: c, keys: keys, sts: newSTS(c), store: newStore(c, keys), accounts: map[string]*Account{}}
	serveIAM(c)
	serveStacks(c)
	serveS3(c, fake.store)
	return fake
}

// Account returns the account of that id, which begins to exist with its first use.
func (c *Cloud) Account(id string) *Account {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accounts[id]
	if a == nil {
		a = &Account{dirAccount: c.directory.account(id), cloud: c}
		c.accounts[id] = a
	}
	return a
}

// SetPackedPolicyLimit makes AssumeRole refuse session policies and tags that together, the inherited
// ones included, are longer than so many bytes, and otherwise say how much of it they took; 0 is no
// limit. AWS has had such a limit on a packed form that it does not describe; the fake packs nothing.
func (c *Cloud) SetPackedPolicyLimit(bytes int) { c.sts.setPackedPolicyLimit(bytes) }

// Account is one AWS account.
type Account struct {
	*dirAccount
	cloud *Cloud
}

// CreateUser creates a user with these identity policies.
func (a *Account) CreateUser(name string, policies ...*iam.Document) *User {
	return a.cloud.directory.createUser(a.dirAccount, name, policies...)
}

// AdminUser creates a user who may do everything; each call creates another one.
func (a *Account) AdminUser() *User { return a.cloud.directory.adminUser(a.dirAccount) }

// CreateRole creates a role that the trust policy lets callers assume.
func (a *Account) CreateRole(name string, trust *iam.Document, o RoleOptions) *Role {
	return a.cloud.directory.createRole(a.dirAccount, name, trust, o)
}

// CreateKey creates a symmetric key. Without a policy it gets the one that AWS gives: everything is
// delegated to the IAM policies of the account.
func (a *Account) CreateKey(region string, policy *iam.Document) *Key {
	return a.cloud.keys.createKey(a.dirAccount, region, policy)
}

// CreateBucket creates a bucket that the account owns. Names are shared by all accounts; one that is
// taken is a bug of the caller and panics.
func (a *Account) CreateBucket(name, region string, o BucketOptions) *Bucket {
	return a.cloud.store.createBucket(a.dirAccount, name, region, o)
}

// CreateAccessPoint creates an access point of a bucket, which may be another account's. A name that the account uses in the bucket's
// region is a bug of the caller and panics.
func (a *Account) CreateAccessPoint(name string, b *Bucket, policy *iam.Document) *AccessPoint {
	return a.cloud.store.createAccessPoint(a.dirAccount, name, b, policy)
}

// SetKMSRate limits the account's calls of KMS in all its Regions together, on anybody's keys: a call
// counts on its caller's account ("Request quotas", AWS KMS Developer Guide); 0 is no limit.
func (a *Account) SetKMSRate(perSecond float64) { a.cloud.keys.setRate(a.ID(), perSecond) }

// SetSTSRate limits the account's calls of STS; an AssumeRole of another account's role counts on its
// caller's account. Beyond it STS answers 400 ThrottlingException. 0 is no limit; AWS's is 600.
func (a *Account) SetSTSRate(perSecond float64) { a.cloud.sts.setRate(a.ID(), perSecond) }
