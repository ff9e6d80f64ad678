package listing

import "syncd/internal/awsfake/s3/call"

// Operations are the operations that list, by name.
func Operations() map[string]call.Operation {
	return map[string]call.Operation{
		"ListBuckets":        {Serve: listBuckets, NoBucket: true},
		"ListObjectsV2":      {Serve: listObjectsV2, Point: true},
		"ListObjects":        {Serve: listObjects, Point: true},
		"ListObjectVersions": {Serve: listObjectVersions, Point: true},
	}
}
