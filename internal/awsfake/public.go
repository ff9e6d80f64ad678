package awsfake

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// minSourceBits is the shortest IPv4 prefix that S3 takes for an address and not for the internet.
const minSourceBits = 8

// public reports whether a bucket policy grants to everyone: an Allow whose principal is "*", without a
// condition that fixes who that can be ("The meaning of 'public'", "Blocking public access to your
// Amazon S3 storage", Amazon S3 User Guide).
func public(d *iam.Document) bool {
	return d != nil && slices.ContainsFunc(d.Statements, func(s iam.Statement) bool {
		return s.Effect == iam.Allow && slices.ContainsFunc(s.Principals, everyone) && !slices.ContainsFunc(s.Conditions, fixes)
	})
}

func everyone(p iam.Principal) bool {
	return p.Kind == iam.AnyPrincipal || p.Kind == iam.AWSPrincipal && p.ID == "*"
}

// fixes reports whether the condition holds only for fixed values of a key that says where a request
// comes from or who makes it. A principal's tag is no such key.
func fixes(c iam.Condition) bool {
	operators := []string{"StringEquals", "StringLike", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike", "IpAddress"}
	keys := []string{
		"aws:PrincipalOrgID", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:SourceIp", "aws:SourceArn", "aws:SourceAccount", "aws:SourceOwner",
		"aws:SourceVpc", "aws:SourceVpce", "aws:userid", "s3:DataAccessPointArn", "s3:DataAccessPointAccount",
	}
	if !containsFold(operators, c.Operator) || !containsFold(keys, c.Key) {
		return false
	}
	return !slices.ContainsFunc(c.Values, func(v string) bool {
		if strings.EqualFold(c.Key, "aws:SourceIp") {
			p, err := netip.ParsePrefix(v)
			return err == nil && p.Addr().Is4() && p.Bits() < minSourceBits
		}
		return strings.ContainsAny(v, "*?") || strings.Contains(v, "${")
	})
}

// restricted reports whether RestrictPublicBuckets keeps the caller out: a bucket with a public policy
// is then its own account's.
func (q *request) restricted(b *Bucket, policy *iam.Document) bool {
	return b.accessBlock().RestrictPublicBuckets && q.caller.account != b.account && public(policy)
}

// refusePublic is the BlockPublicPolicy setting.
func (q *request) refusePublic(b *Bucket, policy *iam.Document) error {
	if !b.accessBlock().BlockPublicPolicy || !public(policy) {
		return nil
	}
	return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: s3:PutBucketPolicy on resource: \"%s\" "+
		"because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", q.caller.caller.ARN, b.ARN())
}

func (q *request) getBucketPolicyStatus(b *Bucket) (*response, error) {
	return q.setting(b, "s3:GetBucketPolicyStatus", func(x *xmlWriter) {
		x.openNS("PolicyStatus", s3Namespace)
		x.boolean("IsPublic", public(b.currentPolicy()))
		x.close("PolicyStatus")
	})
}

// publicAccessBlock are the four settings of Block Public Access. Without ACLs the two that are about them change nothing.
type publicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

func (b *Bucket) accessBlock() publicAccessBlock {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.block == nil {
		return publicAccessBlock{}
	}
	return *b.block
}

func (q *request) getPublicAccessBlock(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:GetBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	b.mu.RLock()
	none := b.block == nil
	b.mu.RUnlock()
	if none {
		return nil, refuse(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found").
			with("BucketName", b.name)
	}
	block, x := b.accessBlock(), newXML()
	x.openNS("PublicAccessBlockConfiguration", s3Namespace)
	x.boolean("BlockPublicAcls", block.BlockPublicAcls)
	x.boolean("IgnorePublicAcls", block.IgnorePublicAcls)
	x.boolean("BlockPublicPolicy", block.BlockPublicPolicy)
	x.boolean("RestrictPublicBuckets", block.RestrictPublicBuckets)
	x.close("PublicAccessBlockConfiguration")
	return answerXML(x), nil
}

func (q *request) putPublicAccessBlock(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	block := &publicAccessBlock{}
	if err := q.readXML(block); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.block = block
	return answer(http.StatusOK), nil
}

func (q *request) deletePublicAccessBlock(b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.block = nil
	return answer(http.StatusNoContent), nil
}
