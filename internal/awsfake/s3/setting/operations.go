// Package setting is the operations of S3 on buckets and their settings.
//
// It promises to store only what S3 stores: a bucket policy is checked as S3 checks it, and one
// that grants to everyone is refused where Block Public Access says so. Nothing acts on lifecycle
// rules; a setting is read and written, and package store holds it.
//
// Words to know. A setting is read by those whom a policy allows; the bucket policy only by the
// bucket's own account.
package setting

import "syncd/internal/awsfake/s3/call"

// Operations are the operations on buckets and their settings, by name.
func Operations() map[string]call.Operation {
	return map[string]call.Operation{
		"CreateBucket":                    {Serve: createBucket, NoBucket: true},
		"GetBucketLocation":               {Serve: getBucketLocation, AnyRegion: true, Point: true},
		"HeadBucket":                      {Serve: headBucket, Point: true},
		"DeleteBucket":                    {Serve: deleteBucket},
		"GetBucketPolicy":                 {Serve: getBucketPolicy, Point: true},
		"PutBucketPolicy":                 {Serve: putBucketPolicy},
		"DeleteBucketPolicy":              {Serve: deleteBucketPolicy},
		"GetBucketPolicyStatus":           {Serve: getBucketPolicyStatus},
		"GetBucketEncryption":             {Serve: getBucketEncryption},
		"PutBucketEncryption":             {Serve: putBucketEncryption},
		"DeleteBucketEncryption":          {Serve: deleteBucketEncryption},
		"GetBucketVersioning":             {Serve: getBucketVersioning},
		"PutBucketVersioning":             {Serve: putBucketVersioning},
		"GetBucketOwnershipControls":      {Serve: getBucketOwnershipControls},
		"PutBucketOwnershipControls":      {Serve: putBucketOwnershipControls},
		"GetPublicAccessBlock":            {Serve: getPublicAccessBlock},
		"PutPublicAccessBlock":            {Serve: putPublicAccessBlock},
		"DeletePublicAccessBlock":         {Serve: deletePublicAccessBlock},
		"GetBucketLifecycleConfiguration": {Serve: getBucketLifecycle},
		"PutBucketLifecycleConfiguration": {Serve: putBucketLifecycle},
		"DeleteBucketLifecycle":           {Serve: deleteBucketLifecycle},
		"GetBucketTagging":                {Serve: getBucketTagging},
		"PutBucketTagging":                {Serve: putBucketTagging},
		"DeleteBucketTagging":             {Serve: deleteBucketTagging},
		"GetBucketRequestPayment":         {Serve: getBucketRequestPayment},
		"GetObjectLockConfiguration":      {Serve: getObjectLockConfiguration},
	}
}
