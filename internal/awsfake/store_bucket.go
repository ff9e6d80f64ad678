package awsfake

import (
	"sync"
	"time"
)

// Bucket is one S3 bucket. Object Ownership is "bucket owner enforced".
type Bucket struct {
	s3           *s3Store
	account      *dirAccount
	name, region string
	created      time.Time
	rates        rates

	mu        sync.RWMutex
	set       settings
	index     *index
	uploads   map[string]*upload // by upload id
	completed map[string]*object // by upload id, so that completing again gives the same answer
}

// Name is the bucket's name.
func (b *Bucket) Name() string { return b.name }

// ARN is "arn:aws:s3:::" and the name.
func (b *Bucket) ARN() string { return bucketARN(b.name) }

func bucketARN(bucket string) string      { return "arn:aws:s3:::" + bucket }
func objectARN(bucket, key string) string { return "arn:aws:s3:::" + bucket + "/" + key }
