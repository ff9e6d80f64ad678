// Package object implements the S3 operations that read, write, copy and delete objects, and the
// operations on their tags, annotations and locks.
//
// It supports S3's conditions and ranges, metadata, tags and annotations, checksums, locks,
// archives and encryption, with S3's errors. Multipart uploads are in package upload, which uses
// this package for the draft of a write and the source of a copy.
//
// Terms: a draft is the object that the headers of a write describe. The source is the object that
// a copy reads.
package object

import "syncd/internal/awsfake/s3/call"

// Operations returns the object operations by name.
func Operations() map[string]call.Operation {
	return map[string]call.Operation{
		"DeleteObjects":          {Serve: deleteObjects, Point: true},
		"GetObject":              {Serve: getObject, Point: true},
		"HeadObject":             {Serve: headObject, Point: true},
		"PutObject":              {Serve: putObject, Point: true},
		"CopyObject":             {Serve: copyObject, Point: true},
		"DeleteObject":           {Serve: deleteObject, Point: true},
		"GetObjectTagging":       {Serve: getObjectTagging, Point: true},
		"PutObjectTagging":       {Serve: putObjectTagging, Point: true},
		"DeleteObjectTagging":    {Serve: deleteObjectTagging, Point: true},
		"GetObjectAttributes":    {Serve: getObjectAttributes, Point: true},
		"GetObjectRetention":     {Serve: getObjectRetention, Point: true},
		"GetObjectLegalHold":     {Serve: getObjectLegalHold, Point: true},
		"ListObjectAnnotations":  {Serve: listObjectAnnotations, Point: true},
		"GetObjectAnnotation":    {Serve: getObjectAnnotation, Point: true},
		"PutObjectAnnotation":    {Serve: putObjectAnnotation, Point: true},
		"DeleteObjectAnnotation": {Serve: deleteObjectAnnotation, Point: true},
	}
}
