package awsfake

import "syncd/internal/iam"

// settings are the bucket's as they are now.
func (b *Bucket) settings() settings {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set
}

// configure changes the bucket's settings.
func (b *Bucket) configure(change func(*settings)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(&b.set)
}

// SetPolicy replaces the bucket policy; nil takes it away.
func (b *Bucket) SetPolicy(policy *iam.Document) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set.policy = policy
}

// SetEncryption changes the default encryption; "" is SSE-S3. Objects stay under the key they were written under.
func (b *Bucket) SetEncryption(keyARN string, bucketKey bool) {
	rule := encryptionRule{bucketKey: bucketKey}
	if keyARN != "" {
		rule.key = b.s3.keys.mustKey(keyARN)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set.rule = rule
}

// SetRequesterPays makes requests of other accounts declare x-amz-request-payer, or no longer.
func (b *Bucket) SetRequesterPays(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set.requester = on
}

func (b *Bucket) encryptionRule() encryptionRule {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set.rule
}

func (b *Bucket) currentPolicy() *iam.Document {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set.policy
}

func (b *Bucket) versioned() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set.versioning != ""
}

func (b *Bucket) accessBlock() publicAccessBlock {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.set.block == nil {
		return publicAccessBlock{}
	}
	return *b.set.block
}
