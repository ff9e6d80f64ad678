// Package upload implements the S3 operations on multipart uploads.
//
// It implements S3's rules for the sizes, order and checksums of parts. Completing an upload again
// returns the same response. Package store contains the uploads and their parts, and package object
// reads the properties of the future object from the request.
//
// Terms: a part has a number and an ETag, which select it when the upload is completed. A composite
// checksum is computed from the checksums of the parts.
package upload

import "syncd/internal/awsfake/s3/call"

// Operations returns the multipart upload operations by name.
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
