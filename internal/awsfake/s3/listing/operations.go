// Package listing implements the S3 operations that list buckets, objects and versions.
//
// It returns pages in byte order with S3's tokens, markers and encodings, and authorises listings
// by prefix. Package store walks the keys. Listings of uploads and parts are in package upload,
// which uses the page parameters of this package.
//
// Terms: a page ends when its limit is reached. A common prefix stands for all keys that are the
// same up to and including the delimiter.
package listing

import "syncd/internal/awsfake/s3/call"

// Operations returns the listing operations by name.
func Operations() map[string]call.Operation {
	return map[string]call.Operation{
		"ListBuckets":        {Serve: listBuckets, NoBucket: true},
		"ListObjectsV2":      {Serve: listObjectsV2, Point: true},
		"ListObjects":        {Serve: listObjects, Point: true},
		"ListObjectVersions": {Serve: listObjectVersions, Point: true},
	}
}
