package arn

import "strings"

// Bucket is the ARN of a general purpose bucket, which has neither region nor account.
func Bucket(partition, name string) string {
	return ARN{Partition: partition, Service: "s3", Resource: name}.String()
}

// Object is the ARN of an object, given that of its bucket or of the access point that it is
// reached through, where keys are after /object/ ("Configuring IAM policies for using access
// points", Amazon S3 User Guide).
func Object(in, key string) string {
	if Kind(in) == "accesspoint" {
		return in + "/object/" + key
	}
	return in + "/" + key
}

// BucketOf returns the bucket that an ARN of S3 names, or in which it names objects; "" of what is
// no ARN.
func BucketOf(text string) string {
	a, _ := Split(text)
	name, _, _ := strings.Cut(a.Resource, "/")
	return name
}
