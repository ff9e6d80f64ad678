// Package store contains the buckets of every account, with their settings, versions, uploads and
// access points.
//
// It has S3's consistency: a read sees every earlier write, conditions are evaluated atomically
// with the write, and versions are replaced, never changed. It does not authorise, and it does not
// depend on requests. Tests create objects with the exported methods of [Bucket]; S3's operations
// call the same methods after authorisation.
//
// Terms: a [Draft] is the object that the headers of a write describe, before it has content. An
// [Object] is one version of a key, or a delete marker.
package store

import (
	"crypto/cipher"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"syncd/internal/arn"
	"syncd/internal/awsfake/core"
	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/kms"
	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/wire"
	"syncd/internal/iam"
)

// Store contains the buckets and access points of every account.
type Store struct {
	cloud     *core.Cloud
	Keys      *kms.Service
	CRC       *content.CRC
	ownedByS3 *kms.Key // encrypts the data keys of SSE-S3
	Patterns  content.Patterns

	mu      sync.RWMutex            // guards the maps, and the policies of access points
	buckets map[string]*Bucket      // by name
	points  map[string]*AccessPoint // by ARN and by alias
}

// New returns a store without buckets.
func New(c *core.Cloud, keys *kms.Service) *Store {
	s := &Store{
		cloud: c, Keys: keys, CRC: content.NewCRC(), ownedByS3: keys.NewKey("s3", "", nil),
		buckets: map[string]*Bucket{}, points: map[string]*AccessPoint{},
	}
	c.Directory.OnRename(s.rename)
	return s
}

// rename renames a principal in all bucket policies.
func (s *Store) rename(arn, id string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, b := range s.buckets {
		b.Configure(func(set *Settings) { set.policy = directory.Renamed(set.policy, arn, id) })
	}
}

// Sealer returns a sealer for a data key.
func (s *Store) Sealer(key cipher.AEAD) *content.Sealer {
	return content.NewSealer(key, s.CRC, s.cloud.Random)
}

// WrapNewKey generates a data key for an object or upload, without authorisation.
func (s *Store) WrapNewKey(rule EncryptionRule, bucket, key string) (Encryption, cipher.AEAD) {
	e := Encryption{
		Key: rule.Key, BucketKey: rule.BucketKey && rule.Key != nil && !rule.Dual, Dual: rule.Dual, Customer: rule.customer,
		context: ObjectARN(bucket, key),
	}
	if e.BucketKey {
		e.context = BucketARN(bucket)
	}
	plain := s.cloud.Random.Bytes(kms.DataKeySize)
	e.wrapped = s.wrappingKey(e).Encrypt(plain, e.KMSContext(), s.cloud.Random)
	return e, kms.NewAEAD(plain)
}

// UnwrapKey decrypts the data key of an object, without authorisation.
func (s *Store) UnwrapKey(e Encryption) (cipher.AEAD, error) {
	plain, err := s.wrappingKey(e).Decrypt(e.wrapped, e.KMSContext())
	if err != nil {
		return nil, err
	}
	return kms.NewAEAD(plain), nil
}

// wrappingKey returns the key that encrypts the data key: a KMS key, or S3's own key for SSE-S3.
func (s *Store) wrappingKey(e Encryption) *kms.Key {
	if e.Key != nil {
		return e.Key
	}
	return s.ownedByS3
}

// CreateBucket creates a bucket that the account owns. All accounts share one namespace of bucket
// names; CreateBucket panics if the name is taken.
func (s *Store) CreateBucket(a *directory.Account, name, region string, o BucketOptions) *Bucket {
	b := s.newBucket(a, name, region)
	b.set.policy, b.set.Rule.BucketKey = o.Policy, o.BucketKey
	if o.KeyARN != "" {
		b.set.Rule.Key = s.Keys.MustKey(o.KeyARN)
	}
	if o.PublicAccess {
		b.set.Block = &PublicAccessBlock{}
	}
	b.set.ObjectLock, b.set.Requester, b.set.PageKeys = o.ObjectLock, o.RequesterPays, o.PageKeys
	if o.Versioning || o.ObjectLock {
		b.set.Versioning = VersioningEnabled
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		panic(fmt.Sprintf("BUG: bucket %q exists already", name))
	}
	s.buckets[name] = b
	return b
}

func (s *Store) newBucket(a *directory.Account, name, region string) *Bucket {
	return &Bucket{
		s3: s, Account: a, name: name, Region: region, Created: s.cloud.Now(), set: Settings{Block: &PublicAccessBlock{true, true, true, true}},
		index: newIndex(), uploads: map[string]*Upload{}, completed: map[string]*Object{},
	}
}

// AddBucket is like CreateBucket, but returns an error if the name is taken.
func (s *Store) AddBucket(a *directory.Account, name, region string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.buckets[name]; old != nil {
		if old.Account == a {
			return wire.Refuse(http.StatusConflict, "BucketAlreadyOwnedByYou",
				"Your previous request to create the named bucket succeeded and you already own it.").With("BucketName", name)
		}
		return wire.Refuse(http.StatusConflict, "BucketAlreadyExists", "The requested bucket name is not available.").With("BucketName", name)
	}
	s.buckets[name] = s.newBucket(a, name, region)
	return nil
}

// RemoveBucket deletes a bucket. It returns false if the bucket is not empty.
func (s *Store) RemoveBucket(b *Bucket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.mu.RLock()
	defer b.mu.RUnlock()
	if len(b.index.byKey) > 0 {
		return false
	}
	delete(s.buckets, b.name)
	return true
}

// BucketsOf returns the buckets of an account, by name.
func (s *Store) BucketsOf(a *directory.Account) []*Bucket {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*Bucket
	for _, b := range s.buckets {
		if b.Account == a {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b *Bucket) int { return strings.Compare(a.name, b.name) })
	return out
}

// CreateAccessPoint creates an access point for a bucket; the bucket can belong to another account.
// It panics if the account already uses the name in the bucket's Region.
func (s *Store) CreateAccessPoint(a *directory.Account, name string, b *Bucket, policy *iam.Document) *AccessPoint {
	metadata := strings.ToLower(s.cloud.Random.Letters(34))
	p := &AccessPoint{
		s3: s, Account: a, bucket: b, name: name, policy: policy,
		alias: name[:min(len(name), maxAliasPrefix)] + "-" + metadata + "-s3alias",
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.points[p.ARN()] != nil {
		panic("BUG: access point " + p.ARN() + " exists already")
	}
	s.points[p.ARN()], s.points[p.alias] = p, p
	return p
}

// Find returns the bucket with that name. If name is the ARN or the alias of an access point, Find
// returns the access point and its bucket.
func (s *Store) Find(name string) (*Bucket, *AccessPoint, error) {
	s.mu.RLock()
	b, p := s.buckets[name], s.points[name]
	s.mu.RUnlock()
	switch {
	case p != nil:
		return p.bucket, p, nil
	case arn.Is(name):
		return nil, nil, errNoSuchAccessPoint()
	case b == nil:
		return nil, nil, errNoSuchBucket(name)
	}
	return b, nil, nil
}

// pointHosts matches the host of an access point. The first label is its name and account; the rest
// is S3's own domain or any endpoint ("Accessing a bucket through S3 access points", Amazon S3 User
// Guide).
var pointHosts = regexp.MustCompile(`^([a-z0-9][a-z0-9-]*)-([0-9]{12})\.(s3-accesspoint\.(?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com$)?`)

// PointOfHost returns the ARN of the access point that the host names, or "". If the domain is not
// S3's own, the access point must exist.
func (s *Store) PointOfHost(host string) string {
	m := pointHosts.FindStringSubmatch(host)
	switch {
	case m == nil:
		return ""
	case m[3] != "":
		return arn.Point(directory.Partition, m[4], m[2], m[1])
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.points {
		if p.name == m[1] && p.Account.ID() == m[2] {
			return p.ARN()
		}
	}
	return ""
}

func errNoSuchBucket(bucket string) *wire.Error {
	return wire.Refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").With("BucketName", bucket)
}

func errNoSuchAccessPoint() *wire.Error {
	return wire.Refuse(http.StatusNotFound, "NoSuchAccessPoint", "The specified accesspoint does not exist")
}
