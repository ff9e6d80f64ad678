// Package upload implements the S3 operations on multipart uploads.
//
// It promises S3's rules for parts, their sizes, order and checksums, and that completing an upload
// again returns the same response. Package store holds uploads and their parts. The draft of the
// future object comes from package object.
//
// Words to know. A part has a number and an ETag, which select it when the upload is completed. A
// composite checksum is computed from the checksums of the parts.
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
