package awsfake

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"syncd/internal/iam"
)

// The states of a key, as DescribeKey says them.
const (
	keyEnabled         = "Enabled"
	keyDisabled        = "Disabled"
	keyPendingDeletion = "PendingDeletion"
)

// arnContext is the one name in the encryption context of S3 ("Using server-side encryption with AWS
// KMS keys", Amazon S3 User Guide).
const arnContext = "aws:s3:arn"

// Key is a KMS key. Its key material never leaves it: data keys are wrapped and unwrapped inside.
type Key struct {
	account         *Account
	id, arn, region string
	managed         bool // aws/s3
	created         time.Time
	material        cipher.AEAD

	// guarded by Cloud.mu
	policy      *iam.Document
	state       string
	deletion    time.Time // of a key in its waiting period
	description string
	tags        map[string]string
	rotates     bool

	rate limiter
}

// CreateKey creates a symmetric key. Without a policy it gets the one that AWS gives: everything is
// delegated to the IAM policies of the account.
func (a *Account) CreateKey(region string, policy *iam.Document) *Key {
	if policy == nil {
		policy = delegatingKeyPolicy(a.id)
	}
	k := a.cloud.newKey(a, region, policy)
	a.cloud.mu.Lock()
	defer a.cloud.mu.Unlock()
	a.cloud.keys[k.arn] = k
	return k
}

func (c *Cloud) newKey(a *Account, region string, policy *iam.Document) *Key {
	id := c.random.uuid()
	return &Key{
		account: a, id: id, region: region, arn: fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, a.id, id),
		created: c.now(), material: newAEAD(c.random.bytes(dataKeySize)), policy: policy, state: keyEnabled,
	}
}

func delegatingKeyPolicy(account string) *iam.Document {
	return &iam.Document{Version: iam.Version2012, ID: "key-default-1", Statements: []iam.Statement{{
		SID: "Enable IAM User Permissions", Effect: iam.Allow,
		Principals: []iam.Principal{{Kind: iam.AWSPrincipal, ID: "arn:aws:iam::" + account + ":root"}},
		Actions:    []string{"kms:*"}, Resources: []string{"*"},
	}}}
}

// managedKey is the account's aws/s3 key of a region, which begins to exist with its first use. Only
// the account itself can use it, and only through S3; nobody can change that.
func (a *Account) managedKey(region string) *Key {
	c := a.cloud
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := a.managed[region]; k != nil {
		return k
	}
	k := c.newKey(a, region, &iam.Document{Version: iam.Version2012, ID: "auto-s3-2", Statements: []iam.Statement{{
		Effect: iam.Allow, Principals: []iam.Principal{{Kind: iam.AnyPrincipal}}, Resources: []string{"*"},
		Actions: []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"},
		Conditions: []iam.Condition{
			{Operator: "StringEquals", Key: "kms:ViaService", Values: []string{"s3." + region + ".amazonaws.com"}},
			{Operator: "StringEquals", Key: "kms:CallerAccount", Values: []string{a.id}},
		},
	}}})
	k.managed = true
	a.managed[region], c.keys[k.arn] = k, k
	return k
}

// ARN is the key's ARN.
func (k *Key) ARN() string { return k.arn }

// SetPolicy replaces the key policy; nil is the one that AWS gives.
func (k *Key) SetPolicy(policy *iam.Document) {
	if policy == nil {
		policy = delegatingKeyPolicy(k.account.id)
	}
	k.account.cloud.mu.Lock()
	defer k.account.cloud.mu.Unlock()
	k.policy = policy
}

// SetEnabled enables or disables the key. What lies under a disabled key cannot be read.
func (k *Key) SetEnabled(enabled bool) {
	state := keyDisabled
	if enabled {
		state = keyEnabled
	}
	k.setState(state)
}

// ScheduleDeletion puts the key into its waiting period, in which it cannot be used.
func (k *Key) ScheduleDeletion() { k.setState(keyPendingDeletion) }

func (k *Key) setState(state string) { k.update(func() { k.state = state }) }

// update changes what Cloud.mu guards.
func (k *Key) update(change func()) {
	k.account.cloud.mu.Lock()
	defer k.account.cloud.mu.Unlock()
	change()
}

func (k *Key) read() (policy *iam.Document, state string) {
	k.account.cloud.mu.RLock()
	defer k.account.cloud.mu.RUnlock()
	return k.policy, k.state
}

// keyStateError is KMS's refusal of a key that is not enabled, or S3's word for it.
func keyStateError(k *Key, state, service string) error {
	code, text := "", ""
	switch state {
	case keyDisabled:
		code, text = "DisabledException", k.arn+" is disabled."
	case keyPendingDeletion:
		code, text = "KMSInvalidStateException", k.arn+" is pending deletion."
	default:
		return nil
	}
	if service == serviceS3 {
		code = "KMS." + code
	}
	return refuse(http.StatusBadRequest, code, "%s", text)
}

// mustKey is for the owner's hand, where an ARN of no key is a bug of the caller.
func (c *Cloud) mustKey(arn string) *Key {
	c.mu.RLock()
	defer c.mu.RUnlock()
	k := c.keys[arn]
	if k == nil {
		panic(fmt.Sprintf("BUG: no key %q", arn))
	}
	return k
}

// findKey resolves a key id as KMS does in one region: an ARN says the account, a bare id or alias
// means the caller's. The key of an ARN that does not exist is nil.
func (c *Cloud) findKey(id, region string, caller *Account) *Key {
	if strings.HasPrefix(id, "alias/") && strings.TrimPrefix(id, "alias/") == "aws/s3" {
		return caller.managedKey(region)
	}
	switch {
	case strings.HasPrefix(id, "alias/"):
		id = fmt.Sprintf("arn:aws:kms:%s:%s:%s", region, caller.id, id)
	case !strings.HasPrefix(id, "arn:"):
		id = fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, caller.id, id)
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, k := range []*Key{c.keys[id], c.aliases[id]} {
		if k != nil && k.region == region {
			return k
		}
	}
	return nil
}

// blobVersion begins every ciphertext that a key makes, and the key's id follows.
const (
	blobVersion = 1
	keyIDSize   = 36
)

// encrypt makes a ciphertext blob that names its key and is bound to its context.
func (k *Key) encrypt(plain []byte, context map[string]string, r *random) []byte {
	nonce := r.bytes(sealNonceSize)
	blob := append([]byte{blobVersion}, k.id...)
	blob = append(blob, nonce...)
	return k.material.Seal(blob, nonce, plain, contextBytes(context))
}

func (k *Key) decrypt(blob []byte, context map[string]string) ([]byte, error) {
	const head = 1 + keyIDSize
	if len(blob) < head+sealNonceSize || blob[0] != blobVersion || !bytes.Equal(blob[1:head], []byte(k.id)) {
		return nil, errSealBroken
	}
	plain, err := k.material.Open(nil, blob[head:head+sealNonceSize], blob[head+sealNonceSize:], contextBytes(context))
	if err != nil {
		return nil, errSealBroken
	}
	return plain, nil
}

// contextBytes is an encryption context in one unambiguous form.
func contextBytes(context map[string]string) []byte {
	var b []byte
	for _, k := range slices.Sorted(maps.Keys(context)) {
		for _, s := range []string{k, context[k]} {
			b = binary.BigEndian.AppendUint32(b, uint32(len(s))) // contexts are at most 8 KiB
			b = append(b, s...)
		}
	}
	return b
}

// wrapNewKey makes a data key for an object, or an upload, and asks nobody.
func (c *Cloud) wrapNewKey(rule encryptionRule, bucket, key string) (encryption, cipher.AEAD) {
	e := encryption{
		key: rule.key, bucketKey: rule.bucketKey && rule.key != nil && !rule.dual, dual: rule.dual, customer: rule.customer,
		context: objectARN(bucket, key),
	}
	if e.bucketKey {
		e.context = bucketARN(bucket)
	}
	plain := c.random.bytes(dataKeySize)
	e.wrapped = c.wrappingKey(e).encrypt(plain, map[string]string{arnContext: e.context}, c.random)
	return e, newAEAD(plain)
}

// unwrapKey opens the data key of an object and asks nobody.
func (c *Cloud) unwrapKey(e encryption) (cipher.AEAD, error) {
	plain, err := c.wrappingKey(e).decrypt(e.wrapped, map[string]string{arnContext: e.context})
	if err != nil {
		return nil, err
	}
	return newAEAD(plain), nil
}

// wrappingKey is the KMS key, or under SSE-S3 the one that S3 owns.
func (c *Cloud) wrappingKey(e encryption) *Key {
	if e.key != nil {
		return e.key
	}
	return c.ownedByS3
}

// generateDataKey makes a data key as the caller.
func (q *request) generateDataKey(rule encryptionRule, b *Bucket, key string) (encryption, cipher.AEAD, error) {
	e, aead := q.cloud.wrapNewKey(rule, b.name, key)
	if e.key == nil {
		return e, aead, nil
	}
	if err := q.useKey(e.key, "kms:GenerateDataKey", s3Use(b.region, e)); err != nil {
		return encryption{}, nil, err
	}
	return e, aead, nil
}

// openDataKey opens the data key of an object as the caller.
func (q *request) openDataKey(e encryption, region string) (cipher.AEAD, error) {
	if e.key != nil {
		if err := q.useKey(e.key, "kms:Decrypt", s3Use(region, e)); err != nil {
			return nil, err
		}
	}
	return q.cloud.unwrapKey(e)
}

func s3Use(region string, e encryption) keyUse {
	return keyUse{service: serviceS3, region: region, context: map[string]string{arnContext: e.context}}
}
