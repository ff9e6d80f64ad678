package awsfake

import (
	"crypto/cipher"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"syncd/internal/iam"
)

// s3Store is the buckets and access points of every account.
type s3Store struct {
	cloud     *hub
	keys      *kmsService
	crc       *crc64nvme
	ownedByS3 *Key // wraps the data keys of SSE-S3
	patterns  patterns

	mu      sync.RWMutex            // guards the maps, and the policies of access points
	buckets map[string]*Bucket      // by name
	points  map[string]*AccessPoint // by ARN and by alias
}

// newStore returns a store without buckets.
func newStore(c *hub, keys *kmsService) *s3Store {
	s := &s3Store{
		cloud: c, keys: keys, crc: newCRC64NVME(), ownedByS3: keys.newKey("s3", "", nil),
		buckets: map[string]*Bucket{}, points: map[string]*AccessPoint{},
	}
	c.directory.onRename(s.rename)
	return s
}

// rename renames a principal in the policies of the buckets.
func (s *s3Store) rename(arn, id string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, b := range s.buckets {
		b.configure(func(set *settings) { set.policy = renamed(set.policy, arn, id) })
	}
}

// sealer seals bytes under a data key.
func (s *s3Store) sealer(key cipher.AEAD) *sealer {
	return &sealer{key: key, crc: s.crc, random: s.cloud.random}
}

// wrapNewKey makes a data key for an object, or an upload, and asks nobody.
func (s *s3Store) wrapNewKey(rule encryptionRule, bucket, key string) (encryption, cipher.AEAD) {
	e := encryption{
		key: rule.key, bucketKey: rule.bucketKey && rule.key != nil && !rule.dual, dual: rule.dual, customer: rule.customer,
		context: objectARN(bucket, key),
	}
	if e.bucketKey {
		e.context = bucketARN(bucket)
	}
	plain := s.cloud.random.bytes(dataKeySize)
	e.wrapped = s.wrappingKey(e).encrypt(plain, map[string]string{arnContext: e.context}, s.cloud.random)
	return e, newAEAD(plain)
}

// unwrapKey opens the data key of an object and asks nobody.
func (s *s3Store) unwrapKey(e encryption) (cipher.AEAD, error) {
	plain, err := s.wrappingKey(e).decrypt(e.wrapped, map[string]string{arnContext: e.context})
	if err != nil {
		return nil, err
	}
	return newAEAD(plain), nil
}

// wrappingKey is the KMS key, or under SSE-S3 the one that S3 owns.
func (s *s3Store) wrappingKey(e encryption) *Key {
	if e.key != nil {
		return e.key
	}
	return s.ownedByS3
}

// createBucket creates a bucket that the account owns. Names are shared by all accounts; one that is
// taken is a bug of the caller and panics.
func (s *s3Store) createBucket(a *dirAccount, name, region string, o BucketOptions) *Bucket {
	b := s.newBucket(a, name, region)
	b.set.policy, b.set.rule.bucketKey = o.Policy, o.BucketKey
	if o.KeyARN != "" {
		b.set.rule.key = s.keys.mustKey(o.KeyARN)
	}
	if o.PublicAccess {
		b.set.block = &publicAccessBlock{}
	}
	b.set.objectLock, b.set.requester = o.ObjectLock, o.RequesterPays
	if o.Versioning || o.ObjectLock {
		b.set.versioning = versioningEnabled
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		panic(fmt.Sprintf("BUG: bucket %q exists already", name))
	}
	s.buckets[name] = b
	return b
}

func (s *s3Store) newBucket(a *dirAccount, name, region string) *Bucket {
	return &Bucket{
		s3: s, account: a, name: name, region: region, created: s.cloud.now(), set: settings{block: &publicAccessBlock{true, true, true, true}},
		index: newIndex(), uploads: map[string]*upload{}, completed: map[string]*object{},
	}
}

// addBucket creates a bucket as CreateBucket does.
func (s *s3Store) addBucket(a *dirAccount, name, region string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.buckets[name]; old != nil {
		if old.account == a {
			return refuse(http.StatusConflict, "BucketAlreadyOwnedByYou",
				"Your previous request to create the named bucket succeeded and you already own it.").with("BucketName", name)
		}
		return refuse(http.StatusConflict, "BucketAlreadyExists", "The requested bucket name is not available.").with("BucketName", name)
	}
	s.buckets[name] = s.newBucket(a, name, region)
	return nil
}

// removeBucket deletes a bucket; false when it is not empty.
func (s *s3Store) removeBucket(b *Bucket) bool {
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

// bucketsOf are the buckets of an account, by name.
func (s *s3Store) bucketsOf(a *dirAccount) []*Bucket {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []*Bucket
	for _, b := range s.buckets {
		if b.account == a {
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b *Bucket) int { return strings.Compare(a.name, b.name) })
	return out
}

// createAccessPoint creates an access point of a bucket, which may be another account's. A name that the account uses in the bucket's
// region is a bug of the caller and panics.
func (s *s3Store) createAccessPoint(a *dirAccount, name string, b *Bucket, policy *iam.Document) *AccessPoint {
	metadata := strings.ToLower(s.cloud.random.letters(34))
	p := &AccessPoint{
		s3: s, account: a, bucket: b, name: name, policy: policy,
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

// find looks a bucket up by its name, or by an access point of it, which it returns too.
func (s *s3Store) find(name string) (*Bucket, *AccessPoint, error) {
	s.mu.RLock()
	b, p := s.buckets[name], s.points[name]
	s.mu.RUnlock()
	switch {
	case p != nil:
		return p.bucket, p, nil
	case strings.HasPrefix(name, "arn:"):
		return nil, nil, errNoSuchAccessPoint()
	case b == nil:
		return nil, nil, errNoSuchBucket(name)
	}
	return b, nil, nil
}

// pointHosts matches the host of an access point: its name and its account are the first label, of S3's own domain or of any endpoint
// ("Accessing a bucket through S3 access points", Amazon S3 User Guide).
var pointHosts = regexp.MustCompile(`^([a-z0-9][a-z0-9-]*)-([0-9]{12})\.(s3-accesspoint\.(?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com$)?`)

// pointOfHost is the ARN of the access point that a host is, "" when it is none. Where the domain is not S3's own it is one only if there
// is one of that name.
func (s *s3Store) pointOfHost(r *http.Request) string {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	m := pointHosts.FindStringSubmatch(host)
	switch {
	case m == nil:
		return ""
	case m[3] != "":
		return "arn:aws:s3:" + m[4] + ":" + m[2] + ":accesspoint/" + m[1]
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for arn, p := range s.points {
		if p.name == m[1] && p.account.ID() == m[2] && strings.HasPrefix(arn, "arn:") {
			return arn
		}
	}
	return ""
}

func errNoSuchBucket(bucket string) *apiError {
	return refuse(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").with("BucketName", bucket)
}

func errNoSuchAccessPoint() *apiError {
	return refuse(http.StatusNotFound, "NoSuchAccessPoint", "The specified accesspoint does not exist")
}
