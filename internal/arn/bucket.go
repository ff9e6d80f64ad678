package arn

import "strings"

// Bucket is the ARN of a general purpose bucket, which has neither region nor account. That of an object has a slash and the key after it.
func Bucket(partition, name string) string {
	return ARN{Partition: partition, Service: "s3", Resource: name}.String()
}

// BucketOf returns the bucket that an ARN of S3 names, or in which it names objects; "" of what is no ARN.
func BucketOf(text string) string {
	a, _ := Split(text)
	name, _, _ := strings.Cut(a.Resource, "/")
	return name
}
