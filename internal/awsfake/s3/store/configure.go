package store

import "syncd/internal/iam"

// Settings are the bucket's as they are now.
func (b *Bucket) Settings() Settings {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set
}

// Configure changes the bucket's settings.
func (b *Bucket) Configure(change func(*Settings)) {
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

// SetEncryption changes the default encryption; "" is SSE-S3. Objects stay under the key they were
// written under.
func (b *Bucket) SetEncryption(keyARN string, bucketKey bool) {
	rule := EncryptionRule{BucketKey: bucketKey}
	if keyARN != "" {
		rule.Key = b.s3.Keys.MustKey(keyARN)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set.Rule = rule
}

// SetRequesterPays makes requests of other accounts declare x-amz-request-payer, or no longer.
func (b *Bucket) SetRequesterPays(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set.Requester = on
}

// EncryptionRule is the default encryption.
func (b *Bucket) EncryptionRule() EncryptionRule {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set.Rule
}

// CurrentPolicy is the bucket policy; nil for none.
func (b *Bucket) CurrentPolicy() *iam.Document {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set.policy
}

// Versioned reports whether objects have version ids.
func (b *Bucket) Versioned() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set.Versioning != ""
}

// AccessBlock is the Block Public Access setting, without one the zero value.
func (b *Bucket) AccessBlock() PublicAccessBlock {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.set.Block == nil {
		return PublicAccessBlock{}
	}
	return *b.set.Block
}
