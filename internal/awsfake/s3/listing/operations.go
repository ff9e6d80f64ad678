// Package listing is the operations of S3 that list buckets, objects and versions.
//
// It promises pages in byte order with S3's tokens, markers and encodings, and authorises them by
// prefix. The walk over the keys is package store's; listings of uploads and parts are in package
// upload, which takes the parameters of a page from here.
//
// Words to know. A page ends where its limit is reached; a common prefix stands for all keys that
// share it up to the delimiter.
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
