package store

import (
	"syncd/internal/arn"
	"syncd/internal/awsfake/directory"
	"syncd/internal/iam"
)

// maxAliasPrefix is the maximum number of characters of an access point's name that its alias
// begins with. The whole alias has at most 63 characters.
const maxAliasPrefix = 20

// AccessPoint is an access point of a bucket. A request through an access point needs permission
// for the access point's ARN. The access point's policy can give that permission, and so can an
// identity policy if the caller is in the access point's account. The bucket policy must allow the
// request as well; it can delegate to access points ("Configuring IAM policies for using access
// points", Amazon S3 User Guide).
type AccessPoint struct {
	s3          *Store
	Account     *directory.Account
	bucket      *Bucket
	name, alias string
	policy      *iam.Document // guarded by the store
}

// ARN returns the ARN, "arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME".
func (p *AccessPoint) ARN() string {
	return arn.Point(directory.Partition, p.bucket.Region, p.Account.ID(), p.name)
}

// Alias returns the alias, which requests use in place of a bucket name.
func (p *AccessPoint) Alias() string { return p.alias }

// SetPolicy replaces the policy; nil removes it.
func (p *AccessPoint) SetPolicy(policy *iam.Document) {
	p.s3.mu.Lock()
	defer p.s3.mu.Unlock()
	p.policy = policy
}

// CurrentPolicy returns the access point's policy, or nil if there is none.
func (p *AccessPoint) CurrentPolicy() *iam.Document {
	p.s3.mu.RLock()
	defer p.s3.mu.RUnlock()
	return p.policy
}
