package object

import "syncd/internal/awsfake/s3/call"

// Operations are the operations on objects, by name.
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
