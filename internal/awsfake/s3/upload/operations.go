// Package upload is the operations of S3 on multipart uploads.
//
// It promises S3's rules about parts, their sizes, order and checksums, and that completing again
// gives the same answer. The upload and its parts are kept by package store; what an upload will
// become is a draft of package object.
//
// Words to know. A part has a number and an ETag, by which completing chooses it; a composite
// checksum is made of those of the parts.
package upload

import "syncd/internal/awsfake/s3/call"

// Operations are the operations on multipart uploads, by name.
func Operations() map[string]call.Operation {
	return map[string]call.Operation{
		"ListMultipartUploads":    {Serve: listMultipartUploads, Point: true},
		"CreateMultipartUpload":   {Serve: createMultipartUpload, Point: true},
		"UploadPart":              {Serve: uploadPart, Point: true},
		"UploadPartCopy":          {Serve: uploadPartCopy, Point: true},
		"CompleteMultipartUpload": {Serve: completeMultipartUpload, Point: true},
		"AbortMultipartUpload":    {Serve: abortMultipartUpload, Point: true},
		"ListParts":               {Serve: listParts, Point: true},
	}
}
