package store

import (
	"sync"
	"time"

	"syncd/internal/arn"
	"syncd/internal/awsfake/directory"
)

// Bucket is one S3 bucket. Its Object Ownership is "bucket owner enforced".
type Bucket struct {
	s3           *Store
	Account      *directory.Account
	name, Region string
	Created      time.Time
	rates        rates

	mu        sync.RWMutex
	set       Settings
	index     *index
	uploads   map[string]*Upload // by upload ID
	completed map[string]*Object // by upload ID, so that completing an upload again returns the same response
}

// Name returns the bucket's name.
func (b *Bucket) Name() string { return b.name }

// ARN returns the bucket's ARN.
func (b *Bucket) ARN() string { return BucketARN(b.name) }

// BucketARN returns the ARN of a bucket.
func BucketARN(bucket string) string { return arn.Bucket(directory.Partition, bucket) }

// ObjectARN returns the ARN of an object.
func ObjectARN(bucket, key string) string { return arn.Object(BucketARN(bucket), key) }
