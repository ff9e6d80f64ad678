// Package setting implements the S3 operations on buckets and their settings.
//
// It accepts only what S3 accepts: it validates bucket policies as S3 does, and rejects public
// policies if Block Public Access requires that. Settings are stored in package store and can be
// read back; lifecycle rules have no effect.
//
// Policies decide who can read a setting, but only the bucket's own account can read the bucket
// policy.
package setting

import "syncd/internal/awsfake/s3/call"

// Operations returns the operations on buckets and their settings by name.
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
