// Package kms is KMS: symmetric keys, their policies, states and aliases, and what is encrypted
// with them.
//
// It promises that key material never leaves its [Key], and that every use is authorised by the key
// policy and the caller's own, as the caller, whether the caller asks or another service in the
// caller's name. Which objects are under which key it leaves to those services.
//
// Words to know. A [Use] is the circumstances of one use of a key: the service that asks and the
// encryption context; the managed key of an account and Region is aws/s3, whose policy is fixed.
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

// Service is KMS in every account and Region.
type Service struct {
	cloud *core.Cloud
	rates rate.Limiters // by account

	mu      sync.RWMutex    // guards the maps, and the policies and states of keys
	keys    map[string]*Key // by ARN
	aliases map[string]*Key // by the ARN of the alias
	managed map[ownedKey]*Key
}

// ownedKey is where there is one aws/s3 key.
type ownedKey struct {
	account *directory.Account
	region  string
}

// rename renames a principal in the policies of the keys.
func (s *Service) rename(arn, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		k.policy = directory.Renamed(k.policy, arn, id)
	}
}

// SetRate limits the account's calls of KMS in all its Regions together, on anybody's keys: a call
// counts on its caller's account ("Request quotas", AWS KMS Developer Guide); 0 is no limit.
func (s *Service) SetRate(account string, perSecond float64) { s.rates.Of(account).Set(perSecond) }

// MustKey is for the owner's hand, where an ARN of no key is a bug of the caller.
func (s *Service) MustKey(arn string) *Key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[arn]
	if k == nil {
		panic(fmt.Sprintf("BUG: no key %q", arn))
	}
	return k
}

// FindKey resolves a key id as KMS does in one region: an ARN says the account, a bare id or alias
// means the caller's. The key of an ARN that does not exist is nil.
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

// CreateKey creates a symmetric key. Without a policy it gets the one that AWS gives: everything is
// delegated to the IAM policies of the account.
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

// NewKey is a key that only its holder knows.
func (s *Service) NewKey(owner, region string, policy *iam.Document) *Key {
	id := s.cloud.Random.UUID()
	return &Key{
		service: s, id: id, region: region, arn: keyARN(region, owner, id),
		created: s.cloud.Now(), material: NewAEAD(s.cloud.Random.Bytes(DataKeySize)), policy: policy, state: keyEnabled,
	}
}

// ManagedKey is the account's aws/s3 key of a region, which begins to exist with its first use.
// Only the account itself can use it, and only through S3; nobody can change that.
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
