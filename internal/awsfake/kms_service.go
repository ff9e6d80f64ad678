package awsfake

import (
	"fmt"
	"strings"
	"sync"

	"syncd/internal/iam"
)

// kmsService is KMS in every account and Region.
type kmsService struct {
	cloud      *hub
	operations map[string]kmsOperation
	rates      limiters // by account

	mu      sync.RWMutex    // guards the maps, and the policies and states of keys
	keys    map[string]*Key // by ARN
	aliases map[string]*Key // by the ARN of the alias
	managed map[ownedKey]*Key
}

// ownedKey is where there is one aws/s3 key.
type ownedKey struct {
	account *dirAccount
	region  string
}

// newKMS returns KMS without keys.
func newKMS(c *hub) *kmsService {
	s := &kmsService{cloud: c, operations: kmsOperations(), keys: map[string]*Key{}, aliases: map[string]*Key{}, managed: map[ownedKey]*Key{}}
	c.directory.onRename(s.rename)
	c.serve(service{name: "kms", protocol: awsJSON, target: "TrentService.", serve: s.serve})
	return s
}

// rename renames a principal in the policies of the keys.
func (s *kmsService) rename(arn, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.keys {
		k.policy = renamed(k.policy, arn, id)
	}
}

// setRate limits the account's calls of KMS in all its Regions together, on anybody's keys: a call
// counts on its caller's account ("Request quotas", AWS KMS Developer Guide); 0 is no limit.
func (s *kmsService) setRate(account string, perSecond float64) { s.rates.of(account).set(perSecond) }

// mustKey is for the owner's hand, where an ARN of no key is a bug of the caller.
func (s *kmsService) mustKey(arn string) *Key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	k := s.keys[arn]
	if k == nil {
		panic(fmt.Sprintf("BUG: no key %q", arn))
	}
	return k
}

// findKey resolves a key id as KMS does in one region: an ARN says the account, a bare id or alias
// means the caller's. The key of an ARN that does not exist is nil.
func (s *kmsService) findKey(id, region string, caller *dirAccount) *Key {
	if strings.HasPrefix(id, "alias/") && strings.TrimPrefix(id, "alias/") == "aws/s3" {
		return s.managedKey(caller, region)
	}
	switch {
	case strings.HasPrefix(id, "alias/"):
		id = fmt.Sprintf("arn:aws:kms:%s:%s:%s", region, caller.ID(), id)
	case !strings.HasPrefix(id, "arn:"):
		id = fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, caller.ID(), id)
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

// createKey creates a symmetric key. Without a policy it gets the one that AWS gives: everything is
// delegated to the IAM policies of the account.
func (s *kmsService) createKey(a *dirAccount, region string, policy *iam.Document) *Key {
	if policy == nil {
		policy = delegatingKeyPolicy(a.ID())
	}
	k := s.newKey(a.ID(), region, policy)
	k.account = a
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k.arn] = k
	return k
}

// newKey is a key that only its holder knows.
func (s *kmsService) newKey(owner, region string, policy *iam.Document) *Key {
	id := s.cloud.random.uuid()
	return &Key{
		service: s, id: id, region: region, arn: fmt.Sprintf("arn:aws:kms:%s:%s:key/%s", region, owner, id),
		created: s.cloud.now(), material: newAEAD(s.cloud.random.bytes(dataKeySize)), policy: policy, state: keyEnabled,
	}
}

// managedKey is the account's aws/s3 key of a region, which begins to exist with its first use. Only
// the account itself can use it, and only through S3; nobody can change that.
func (s *kmsService) managedKey(a *dirAccount, region string) *Key {
	owned := ownedKey{a, region}
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.managed[owned]; k != nil {
		return k
	}
	k := s.newKey(a.ID(), region, &iam.Document{Version: iam.Version2012, ID: "auto-s3-2", Statements: []iam.Statement{{
		Effect: iam.Allow, Principals: []iam.Principal{{Kind: iam.AnyPrincipal}}, Resources: []string{"*"},
		Actions: []string{"kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"},
		Conditions: []iam.Condition{
			{Operator: "StringEquals", Key: "kms:ViaService", Values: []string{"s3." + region + ".amazonaws.com"}},
			{Operator: "StringEquals", Key: "kms:CallerAccount", Values: []string{a.ID()}},
		},
	}}})
	k.account, k.managed = a, true
	s.managed[owned], s.keys[k.arn] = k, k
	return k
}

func (s *kmsService) keyByID(id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for arn, k := range s.keys {
		if k.id == id {
			return arn
		}
	}
	return id
}

// kmsRequest is a request to KMS.
type kmsRequest struct {
	*request
	kms *kmsService
}

func (s *kmsService) serve(q *request) (*response, error) { return (&kmsRequest{q, s}).serve() }
