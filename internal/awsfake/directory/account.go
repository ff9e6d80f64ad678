package directory

import (
	"sync"

	"syncd/internal/arn"
	"syncd/internal/iam"
)

// Account is one AWS account.
type Account struct {
	mu  *sync.RWMutex // of the directory; guards the fields below
	id  string
	org string

	serviceControl, resourceControl []*iam.Document // of the organization
}

// ID returns the account's twelve digits.
func (a *Account) ID() string { return a.id }

// Partition is the partition of all accounts.
const Partition = "aws"

// ARN returns the ARN of a resource of the account. An empty region means a global resource.
func (a *Account) ARN(service, region, resource string) string {
	return arn.ARN{Partition: Partition, Service: service, Region: region, Account: a.id, Resource: resource}.String()
}

// SetOrg moves the account into an organization ("o-..."), or out of its organization with "". S3
// shows callers the reason for a denial by another account only if both accounts are in the same
// organization.
func (a *Account) SetOrg(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.org = id
}

// SetServiceControl sets the service control policies of the account's users and roles. Each of
// their actions, on any resource, must be allowed by one of these policies. Without policies there
// is no restriction.
func (a *Account) SetServiceControl(policies ...*iam.Document) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.serviceControl = policies
}

// SetResourceControl sets the resource control policies of the account's buckets, keys and roles.
// Each action on them, by any caller, must be allowed by one of these policies. Without policies
// there is no restriction. AWS managed keys are exempt.
func (a *Account) SetResourceControl(policies ...*iam.Document) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.resourceControl = policies
}
