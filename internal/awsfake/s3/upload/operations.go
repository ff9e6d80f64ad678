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
