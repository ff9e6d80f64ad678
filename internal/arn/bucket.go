package arn

import "strings"

// Bucket returns the ARN of a general purpose bucket, which contains neither a region nor an
// account.
func Bucket(partition, name string) string {
	return ARN{Partition: partition, Service: "s3", Resource: name}.String()
}

// Object returns the ARN of an object, given the ARN of its bucket or access point. With an access
// point, the key follows /object/ ("Configuring IAM policies for using access points", Amazon S3
// User Guide).
func Object(in, key string) string {
	if Kind(in) == "accesspoint" {
		return in + "/object/" + key
	}
	return in + "/" + key
}

// BucketOf returns the bucket in the ARN of a bucket or object, or "" if text is not an ARN.
func BucketOf(text string) string {
	a, _ := Split(text)
	name, _, _ := strings.Cut(a.Resource, "/")
	return name
}
