package awsfake

// listingOperations are the operations that list, by name.
func listingOperations() map[string]s3Operation {
	return map[string]s3Operation{
		"ListBuckets":        {serve: listBuckets, noBucket: true},
		"ListObjectsV2":      {serve: listObjectsV2, point: true},
		"ListObjects":        {serve: listObjects, point: true},
		"ListObjectVersions": {serve: listObjectVersions, point: true},
	}
}
