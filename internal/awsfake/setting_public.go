package awsfake

import (
	"net/http"

	"syncd/internal/iam"
)

// refusePublic is the BlockPublicPolicy setting.
func refusePublic(q *s3Request, b *Bucket, policy *iam.Document) error {
	if !b.accessBlock().BlockPublicPolicy || !public(policy) {
		return nil
	}
	return refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: s3:PutBucketPolicy on resource: \"%s\" "+
		"because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", q.caller.caller.ARN, b.ARN())
}

func getBucketPolicyStatus(q *s3Request, b *Bucket) (*response, error) {
	return setting(q, b, "s3:GetBucketPolicyStatus", func(x *xmlWriter) {
		x.openNS("PolicyStatus", s3Namespace)
		x.boolean("IsPublic", public(b.currentPolicy()))
		x.close("PolicyStatus")
	})
}

func getPublicAccessBlock(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:GetBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	if b.settings().block == nil {
		return nil, refuse(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found").
			with("BucketName", b.Name())
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

func putPublicAccessBlock(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	block := &publicAccessBlock{}
	if err := q.readXML(block); err != nil {
		return nil, err
	}
	b.configure(func(set *settings) { set.block = block })
	return answer(http.StatusOK), nil
}

func deletePublicAccessBlock(q *s3Request, b *Bucket) (*response, error) {
	if err := q.allow(b, "s3:PutBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	b.configure(func(set *settings) { set.block = nil })
	return answer(http.StatusNoContent), nil
}
