package kms

import (
	"crypto/cipher"
	"time"

	"syncd/internal/arn"
	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/rate"
	"syncd/internal/iam"
)

// Key states, as DescribeKey returns them.
const (
	keyEnabled         = "Enabled"
	keyDisabled        = "Disabled"
	keyPendingDeletion = "PendingDeletion"
)

// Key is a KMS key. It wraps and unwraps data keys itself, so that its key material never leaves
// it.
type Key struct {
	service         *Service
	account         *directory.Account
	id, arn, region string
	managed         bool // aws/s3
	created         time.Time
	material        cipher.AEAD

	// guarded by the service
	policy      *iam.Document
	state       string
	deletion    time.Time // for a key in its waiting period
	description string
	tags        map[string]string
	rotates     bool

	rate rate.Limiter
}

func delegatingKeyPolicy(a *directory.Account) *iam.Document {
	return &iam.Document{Version: iam.Version2012, ID: "key-default-1", Statements: []iam.Statement{{
		SID: "Enable IAM User Permissions", Effect: iam.Allow,
		Principals: []iam.Principal{{Kind: iam.AWSPrincipal, ID: arn.Root(directory.Partition, a.ID())}},
		Actions:    []string{"kms:*"}, Resources: []string{"*"},
	}}}
}

// ARN returns the key's ARN.
func (k *Key) ARN() string { return k.arn }

// SetPolicy replaces the key policy; nil means AWS's default.
func (k *Key) SetPolicy(policy *iam.Document) {
	if policy == nil {
		policy = delegatingKeyPolicy(k.account)
	}
	k.service.mu.Lock()
	defer k.service.mu.Unlock()
	k.policy = policy
}

// SetEnabled enables or disables the key. Data encrypted with a disabled key cannot be read.
func (k *Key) SetEnabled(enabled bool) {
	state := keyDisabled
	if enabled {
		state = keyEnabled
	}
	k.setState(state)
}

// ScheduleDeletion starts the key's waiting period, during which it cannot be used.
func (k *Key) ScheduleDeletion() { k.setState(keyPendingDeletion) }

func (k *Key) setState(state string) { k.update(func() { k.state = state }) }

// update runs change under the service's lock.
func (k *Key) update(change func()) {
	k.service.mu.Lock()
	defer k.service.mu.Unlock()
	change()
}

func (k *Key) read() (policy *iam.Document, state string) {
	k.service.mu.RLock()
	defer k.service.mu.RUnlock()
	return k.policy, k.state
}

// SetRate limits how often per second the key can be used, by all callers together. Above the limit
// S3 answers 503 SlowDown with the message about KMS, and KMS answers 400 ThrottlingException. 0
// means no limit.
func (k *Key) SetRate(perSecond float64) { k.rate.Set(perSecond) }
