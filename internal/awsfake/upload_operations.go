package awsfake

// uploadOperations are the operations on multipart uploads, by name.
func uploadOperations() map[string]s3Operation {
	return map[string]s3Operation{
		"ListMultipartUploads":    {serve: listMultipartUploads, point: true},
		"CreateMultipartUpload":   {serve: createMultipartUpload, point: true},
		"UploadPart":              {serve: uploadPart, point: true},
		"UploadPartCopy":          {serve: uploadPartCopy, point: true},
		"CompleteMultipartUpload": {serve: completeMultipartUpload, point: true},
		"AbortMultipartUpload":    {serve: abortMultipartUpload, point: true},
		"ListParts":               {serve: listParts, point: true},
	}
}
