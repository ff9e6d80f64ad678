package store

import (
	"sync"
	"time"

	"syncd/internal/arn"
	"syncd/internal/awsfake/directory"
)

// Bucket is one S3 bucket. Object Ownership is "bucket owner enforced".
type Bucket struct {
	s3           *Store
	Account      *directory.Account
	name, Region string
	Created      time.Time
	rates        rates

	mu        sync.RWMutex
	set       Settings
	index     *index
	uploads   map[string]*Upload // by upload id
	completed map[string]*Object // by upload id, so that completing again gives the same answer
}

// Name is the bucket's name.
func (b *Bucket) Name() string { return b.name }

// ARN is "arn:aws:s3:::" and the name.
func (b *Bucket) ARN() string { return BucketARN(b.name) }

// BucketARN is the ARN of a bucket.
func BucketARN(bucket string) string { return arn.Bucket(directory.Partition, bucket) }

// ObjectARN is the ARN of an object.
func ObjectARN(bucket, key string) string { return arn.Object(BucketARN(bucket), key) }
