package store

import (
	"syncd/internal/arn"
	"syncd/internal/awsfake/directory"
	"syncd/internal/iam"
)

// maxAliasPrefix is how much of its name an access point's alias begins with: with what follows it
// has 63 characters at most.
const maxAliasPrefix = 20

// AccessPoint is another way into a bucket. Whoever comes through it needs its policy's permission,
// or in its account that of an identity policy, for the access point's ARN; and the bucket's policy
// must allow what it would have to allow anyway, where it may go by the access point ("Configuring
// IAM policies for using access points", Amazon S3 User Guide).
type AccessPoint struct {
	s3          *Store
	Account     *directory.Account
	bucket      *Bucket
	name, alias string
	policy      *iam.Document // guarded by the store
}

// ARN is "arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME".
func (p *AccessPoint) ARN() string {
	return arn.Point(directory.Partition, p.bucket.Region, p.Account.ID(), p.name)
}

// Alias is what stands for the bucket's name in requests.
func (p *AccessPoint) Alias() string { return p.alias }

// SetPolicy replaces the policy; nil takes it away.
func (p *AccessPoint) SetPolicy(policy *iam.Document) {
	p.s3.mu.Lock()
	defer p.s3.mu.Unlock()
	p.policy = policy
}

// CurrentPolicy is the access point's policy; nil for none.
func (p *AccessPoint) CurrentPolicy() *iam.Document {
	p.s3.mu.RLock()
	defer p.s3.mu.RUnlock()
	return p.policy
}
