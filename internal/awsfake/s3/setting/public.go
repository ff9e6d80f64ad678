package setting

import (
	"net/http"

	"syncd/internal/awsfake/s3/call"
	"syncd/internal/awsfake/s3/store"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// refusePublic implements the BlockPublicPolicy setting.
func refusePublic(q *call.Request, b *store.Bucket, policy *iam.Document) error {
	if !b.AccessBlock().BlockPublicPolicy || !call.Public(policy) {
		return nil
	}
	return wire.Refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: s3:PutBucketPolicy on resource: \"%s\" "+
		"because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.", q.Caller.Caller.ARN, b.ARN())
}

func getBucketPolicyStatus(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	return setting(q, b, "s3:GetBucketPolicyStatus", func(x *wire.XML) {
		x.OpenNS("PolicyStatus", call.Namespace)
		x.Boolean("IsPublic", call.Public(b.CurrentPolicy()))
		x.Close("PolicyStatus")
	})
}

func getPublicAccessBlock(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:GetBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	if b.Settings().Block == nil {
		return nil, wire.Refuse(http.StatusNotFound, "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found").
			With("BucketName", b.Name())
	}
	block, x := b.AccessBlock(), wire.NewXML()
	x.OpenNS("PublicAccessBlockConfiguration", call.Namespace)
	x.Boolean("BlockPublicAcls", block.BlockPublicAcls)
	x.Boolean("IgnorePublicAcls", block.IgnorePublicAcls)
	x.Boolean("BlockPublicPolicy", block.BlockPublicPolicy)
	x.Boolean("RestrictPublicBuckets", block.RestrictPublicBuckets)
	x.Close("PublicAccessBlockConfiguration")
	return wire.AnswerXML(x), nil
}

func putPublicAccessBlock(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	block := &store.PublicAccessBlock{}
	if err := q.ReadXML(block); err != nil {
		return nil, err
	}
	b.Configure(func(set *store.Settings) { set.Block = block })
	return wire.Answer(http.StatusOK), nil
}

func deletePublicAccessBlock(q *call.Request, b *store.Bucket) (*wire.Response, error) {
	if err := q.Allow(b, "s3:PutBucketPublicAccessBlock", "", nil); err != nil {
		return nil, err
	}
	b.Configure(func(set *store.Settings) { set.Block = nil })
	return wire.Answer(http.StatusNoContent), nil
}
