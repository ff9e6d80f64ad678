package awsfake

// objectOperations are the operations on objects, by name.
func objectOperations() map[string]s3Operation {
	return map[string]s3Operation{
		"DeleteObjects":          {serve: deleteObjects, point: true},
		"GetObject":              {serve: getObject, point: true},
		"HeadObject":             {serve: headObject, point: true},
		"PutObject":              {serve: putObject, point: true},
		"CopyObject":             {serve: copyObject, point: true},
		"DeleteObject":           {serve: deleteObject, point: true},
		"GetObjectTagging":       {serve: getObjectTagging, point: true},
		"PutObjectTagging":       {serve: putObjectTagging, point: true},
		"DeleteObjectTagging":    {serve: deleteObjectTagging, point: true},
		"GetObjectAttributes":    {serve: getObjectAttributes, point: true},
		"GetObjectRetention":     {serve: getObjectRetention, point: true},
		"GetObjectLegalHold":     {serve: getObjectLegalHold, point: true},
		"ListObjectAnnotations":  {serve: listObjectAnnotations, point: true},
		"GetObjectAnnotation":    {serve: getObjectAnnotation, point: true},
		"PutObjectAnnotation":    {serve: putObjectAnnotation, point: true},
		"DeleteObjectAnnotation": {serve: deleteObjectAnnotation, point: true},
	}
}
