package awsfake

// settingOperations are the operations on buckets and their settings, by name.
func settingOperations() map[string]s3Operation {
	return map[string]s3Operation{
		"CreateBucket":                    {serve: createBucket, noBucket: true},
		"GetBucketLocation":               {serve: getBucketLocation, anyRegion: true, point: true},
		"HeadBucket":                      {serve: headBucket, point: true},
		"DeleteBucket":                    {serve: deleteBucket},
		"GetBucketPolicy":                 {serve: getBucketPolicy, point: true},
		"PutBucketPolicy":                 {serve: putBucketPolicy},
		"DeleteBucketPolicy":              {serve: deleteBucketPolicy},
		"GetBucketPolicyStatus":           {serve: getBucketPolicyStatus},
		"GetBucketEncryption":             {serve: getBucketEncryption},
		"PutBucketEncryption":             {serve: putBucketEncryption},
		"DeleteBucketEncryption":          {serve: deleteBucketEncryption},
		"GetBucketVersioning":             {serve: getBucketVersioning},
		"PutBucketVersioning":             {serve: putBucketVersioning},
		"GetBucketOwnershipControls":      {serve: getBucketOwnershipControls},
		"PutBucketOwnershipControls":      {serve: putBucketOwnershipControls},
		"GetPublicAccessBlock":            {serve: getPublicAccessBlock},
		"PutPublicAccessBlock":            {serve: putPublicAccessBlock},
		"DeletePublicAccessBlock":         {serve: deletePublicAccessBlock},
		"GetBucketLifecycleConfiguration": {serve: getBucketLifecycle},
		"PutBucketLifecycleConfiguration": {serve: putBucketLifecycle},
		"DeleteBucketLifecycle":           {serve: deleteBucketLifecycle},
		"GetBucketTagging":                {serve: getBucketTagging},
		"PutBucketTagging":                {serve: putBucketTagging},
		"DeleteBucketTagging":             {serve: deleteBucketTagging},
		"GetBucketRequestPayment":         {serve: getBucketRequestPayment},
		"GetObjectLockConfiguration":      {serve: getObjectLockConfiguration},
	}
}
