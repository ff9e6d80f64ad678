package store

import "syncd/internal/iam"

// Settings returns the bucket's current settings.
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

// SetPolicy replaces the bucket policy; nil removes it.
func (b *Bucket) SetPolicy(policy *iam.Document) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set.policy = policy
}

// SetEncryption changes the default encryption; "" means SSE-S3. Existing objects keep their
// encryption.
func (b *Bucket) SetEncryption(keyARN string, bucketKey bool) {
	rule := EncryptionRule{BucketKey: bucketKey}
	if keyARN != "" {
		rule.Key = b.s3.Keys.MustKey(keyARN)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set.Rule = rule
}

// SetRequesterPays sets whether requests from other accounts must send x-amz-request-payer.
func (b *Bucket) SetRequesterPays(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set.Requester = on
}

// EncryptionRule returns the default encryption.
func (b *Bucket) EncryptionRule() EncryptionRule {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set.Rule
}

// CurrentPolicy returns the bucket policy, or nil if there is none.
func (b *Bucket) CurrentPolicy() *iam.Document {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set.policy
}

// Versioned reports whether objects have version IDs.
func (b *Bucket) Versioned() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.set.Versioning != ""
}

// AccessBlock returns the Block Public Access settings, or the zero value if there are none.
func (b *Bucket) AccessBlock() PublicAccessBlock {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if b.set.Block == nil {
		return PublicAccessBlock{}
	}
	return *b.set.Block
}
