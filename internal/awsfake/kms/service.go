// Package kms implements KMS: symmetric keys, their policies, states and aliases, and encryption
// with them.
//
// Key material never leaves its [Key]. The key policy and the caller's own policies authorise every
// use, whether the caller makes the request itself or another service makes it in the caller's
// name. The other services decide which objects use which key.
//
// Terms: a [Use] describes one use of a key: the calling service and the encryption context. The
// AWS managed key of an account and Region is aws/s3; its policy cannot be changed.
package kms

import (
	"fmt"
	"strings"
	"sync"

	"syncd/internal/arn"
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/rate"
	"syncd/internal/iam"
)

// Service is KMS for all accounts and Regions.
type Service struct {
	cloud *core.Cloud
	rates rate.Limiters // by account

	mu      sync.RWMutex    // guards the maps, and the policies and states of keys
	keys    map[string]*Key // by ARN
	aliases map[string]*Key // by the ARN of the alias
	managed map[ownedKey]*Key
}

// ownedKey identifies an aws/s3 key: there is one per account and Region.
type ownedKey struct {
	account *directory.Account
	region  string
}

// rename renames a principal in all key policies.
func (s *Service) rename(arn, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		k.policy = directory.Renamed(k.policy, arn, id)
	}
}

// SetRate limits the KMS calls per second that callers of the account make, in all Regions together
// and with keys of any account ("Request quotas", AWS KMS Developer Guide); 0 means no limit.
func (s *Service) SetRate(account string, perSecond float64) { s.rates.Of(account).Set(perSecond) }

// MustKey returns the key with the given ARN. It panics if the key does not exist.
func (s *Service) MustKey(arn string) *Key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[arn]
	if k == nil {
		panic(fmt.Sprintf("BUG: no key %q", arn))
	}
	return k
}

// FindKey resolves a key ID as KMS does in one Region: an ARN names the account; a bare ID or alias
// belongs to the caller's account. It returns nil if the key does not exist.
func (s *Service) FindKey(id, region string, caller *directory.Account) *Key {
	if strings.HasPrefix(id, "alias/") && strings.TrimPrefix(id, "alias/") == "aws/s3" {
		return s.ManagedKey(caller, region)
	}
	switch {
	case strings.HasPrefix(id, "alias/"):
		id = caller.ARN("kms", region, id)
	case !arn.Is(id):
		id = keyARN(region, caller.ID(), id)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, k := range []*Key{s.keys[id], s.aliases[id]} {
		if k != nil && k.region == region {
			return k
		}
	}
	return nil
}

// CreateKey creates a symmetric key. A nil policy means AWS's default key policy, which delegates
// everything to the IAM policies of the account.
func (s *Service) CreateKey(a *directory.Account, region string, policy *iam.Document) *Key {
	if policy == nil {
		policy = delegatingKeyPolicy(a)
	}
	k := s.NewKey(a.ID(), region, policy)
	k.account = a
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.arn] = k
	return k
}

func keyARN(region, owner, id string) string { return arn.Key(directory.Partition, region, owner, id) }

// NewKey returns a key that is not registered with the service, so that requests cannot use it.
func (s *Service) NewKey(owner, region string, policy *iam.Document) *Key {
	id := s.cloud.Random.UUID()
	return &Key{
		service: s, id: id, region: region, arn: keyARN(region, owner, id),
		created: s.cloud.Now(), material: NewAEAD(s.cloud.Random.Bytes(DataKeySize)), policy: policy, state: keyEnabled,
	}
}

// ManagedKey returns the account's aws/s3 key in a Region. It creates the key on first use. Only
// the account itself can use it, and only through S3; its policy cannot be changed.
func (s *Service) ManagedKey(a *directory.Account, region string) *Key {
	owned := ownedKey{a, region}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.managed[owned]; k != nil {
		return k
	}
	k := s.NewKey(a.ID(), region, &iam.Document{Version: iam.Version2012, ID: "auto-s3-2", Statements: []iam.Statement{{
		Effect: iam.Allow, Principals: []iam.Principal{{Kind: iam.AnyPrincipal}}, Resources: []string{"*"},
		Actions: []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"},
		Conditions: []iam.Condition{
			{Operator: "StringEquals", Key: "kms:ViaService", Values: []string{viaService("s3", region)}},
			{Operator: "StringEquals", Key: "kms:CallerAccount", Values: []string{a.ID()}},
		},
	}}})
	k.account, k.managed = a, true
	s.managed[owned], s.keys[k.arn] = k, k
	return k
}

func (s *Service) keyByID(id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, k := range s.keys {
		if k.id == id {
			return k.arn
		}
	}
	return id
}
