package directory

import (
	"sync"

	"syncd/internal/arn"
	"syncd/internal/iam"
)

// Account is one AWS account.
type Account struct {
	mu  *sync.RWMutex // of the directory; it guards what follows
	id  string
	org string

	serviceControl, resourceControl []*iam.Document // of the organization
}

// ID is the account's twelve digits.
func (a *Account) ID() string { return a.id }

// Partition is the partition that all accounts are of.
const Partition = "aws"

// ARN is the ARN of something of a service in the account, in a region or, where that is empty, in
// none.
func (a *Account) ARN(service, region, resource string) string {
	return arn.ARN{Partition: Partition, Service: service, Region: region, Account: a.id, Resource: resource}.String()
}

// SetOrg puts the account into an organization ("o-..."), or with "" takes it out. Inside one
// organization S3 gives its reasons across accounts.
func (a *Account) SetOrg(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.org = id
}

// SetServiceControl puts the account's users and roles under these service control policies, of
// which one must allow what they do anywhere; without any, none is in force.
func (a *Account) SetServiceControl(policies ...*iam.Document) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.serviceControl = policies
}

// SetResourceControl puts the account's buckets, keys and roles under these resource control
// policies, of which one must allow what anybody does with them; without any, none is in force. The
// keys that AWS manages are exempt.
func (a *Account) SetResourceControl(policies ...*iam.Document) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resourceControl = policies
}
