package awsfake

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"syncd/internal/iam"
)

// BucketOptions are the settings of a bucket besides its name and region.
type BucketOptions struct {
	KeyARN     string // default encryption with this KMS key; "" is SSE-S3
	BucketKey  bool   // the default encryption uses an S3 Bucket Key
	Versioning bool
	ObjectLock bool // versions can be locked; brings versioning along
	// RequesterPays makes requests of other accounts declare x-amz-request-payer.
	RequesterPays bool
	// PublicAccess turns Block Public Access off, which AWS has on for every new bucket.
	PublicAccess bool
	Policy       *iam.Document
}

// Bucket is one S3 bucket. Object Ownership is "bucket owner enforced".
type Bucket struct {
	cloud        *Cloud
	account      *Account
	name, region string
	created      time.Time

	mu         sync.RWMutex
	block      *publicAccessBlock // nil: there is none
	lifecycle  []lifecycleRule
	tags       []bucketTag
	policy     *iam.Document
	rule       encryptionRule
	versioning string // "", "Enabled" or "Suspended", as GetBucketVersioning says it
	index      *index
	uploads    map[string]*upload // by upload id
	completed  map[string]*object // by upload id, so that completing again gives the same answer
	objectLock bool
	requester  bool // pays
	rates      rates
}

// encryptionRule is what to encrypt under: a KMS key, or S3's own when key is nil.
type encryptionRule struct {
	key       *Key
	bucketKey bool
	dual      bool // aws:kms:dsse, which knows no bucket key
	customer  bool // SSE-C, by the owner's hand only
}

// CreateBucket creates a bucket that the account owns. Names are shared by all accounts; one that is
// taken is a bug of the caller and panics.
func (a *Account) CreateBucket(name, region string, o BucketOptions) *Bucket {
	c := a.cloud
	b := newBucket(a, name, region)
	b.policy, b.rule.bucketKey = o.Policy, o.BucketKey
	if o.KeyARN != "" {
		b.rule.key = c.mustKey(o.KeyARN)
	}
	if o.PublicAccess {
		b.block = &publicAccessBlock{}
	}
	b.objectLock, b.requester = o.ObjectLock, o.RequesterPays
	if o.Versioning || o.ObjectLock {
		b.versioning = versioningEnabled
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buckets[name] != nil {
		panic(fmt.Sprintf("BUG: bucket %q exists already", name))
	}
	c.buckets[name] = b
	return b
}

func newBucket(a *Account, name, region string) *Bucket {
	return &Bucket{
		cloud: a.cloud, account: a, name: name, region: region, created: a.cloud.now(), block: &publicAccessBlock{true, true, true, true},
		index: newIndex(), uploads: map[string]*upload{}, completed: map[string]*object{},
	}
}

const (
	versioningEnabled   = "Enabled"
	versioningSuspended = "Suspended"
)

// Name is the bucket's name.
func (b *Bucket) Name() string { return b.name }

// ARN is "arn:aws:s3:::" and the name.
func (b *Bucket) ARN() string { return bucketARN(b.name) }

// SetPolicy replaces the bucket policy; nil takes it away.
func (b *Bucket) SetPolicy(policy *iam.Document) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.policy = policy
}

// SetEncryption changes the default encryption; "" is SSE-S3. Objects stay under the key they were written under.
func (b *Bucket) SetEncryption(keyARN string, bucketKey bool) {
	rule := encryptionRule{bucketKey: bucketKey}
	if keyARN != "" {
		rule.key = b.cloud.mustKey(keyARN)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rule = rule
}

// SetRequesterPays makes requests of other accounts declare x-amz-request-payer, or no longer.
func (b *Bucket) SetRequesterPays(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.requester = on
}

// Read returns the bytes of a key's current version by the owner's hand, whatever state its KMS key is in.
func (b *Bucket) Read(key string) ([]byte, error) {
	b.mu.RLock()
	o := b.index.get(key).current()
	b.mu.RUnlock()
	if o == nil {
		return nil, fmt.Errorf("read %s/%s: no such key", b.name, key)
	}
	aead, err := b.cloud.unwrapKey(o.crypt)
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", b.name, key, err)
	}
	data, err := io.ReadAll(o.content.reader(aead, 0, o.size))
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", b.name, key, err)
	}
	return data, nil
}

// Uploads is the number of multipart uploads neither completed nor aborted.
func (b *Bucket) Uploads() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.uploads)
}

// Versions returns every version of a key that is not a delete marker, newest first.
func (b *Bucket) Versions(key string) []ObjectInfo {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []ObjectInfo
	if e := b.index.get(key); e != nil {
		for _, o := range e.versions {
			if !o.marker {
				out = append(out, o.info(b.cloud.now()))
			}
		}
	}
	return out
}

func (b *Bucket) encryptionRule() encryptionRule {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.rule
}

func (b *Bucket) currentPolicy() *iam.Document {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.policy
}

func (b *Bucket) versioned() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.versioning != ""
}

// insert makes o the current version of its key and gives it its version id. The caller holds mu.
func (b *Bucket) insert(o *object) {
	o.versionID = nullVersion
	if b.versioning == versioningEnabled {
		o.versionID = b.cloud.random.letters(32)
	}
	if o.storageClass == "" {
		o.storageClass = classStandard
	}
	e := b.index.get(o.key)
	if e == nil {
		b.index.add(&entry{key: o.key, versions: []*object{o}})
		return
	}
	versions := []*object{o}
	for _, old := range e.versions {
		if old.versionID != o.versionID { // the null version is overwritten, others are kept
			versions = append(versions, old)
		}
	}
	e.versions = versions
}

// discard deletes a key as DeleteObject without a version id does. It returns the delete marker that
// a versioned bucket is left with. The caller holds mu.
func (b *Bucket) discard(key string) *object {
	if b.versioning != "" {
		marker := &object{key: key, marker: true, modified: b.cloud.now().Truncate(time.Second)}
		b.insert(marker)
		return marker
	}
	if b.index.get(key) != nil {
		b.index.remove(key)
	}
	return nil
}

// discardVersion deletes one version for good. It returns it, nil when there was none. The caller holds mu.
func (b *Bucket) discardVersion(key, id string) *object {
	e := b.index.get(key)
	o := e.version(id)
	if o == nil {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(e.versions), func(v *object) bool { return v == o })
	if len(rest) == 0 {
		b.index.remove(key)
	} else {
		e.versions = rest
	}
	return o
}

// replace puts changed, a version with other tags, in the place of old, unless that is gone. The caller holds mu.
func (b *Bucket) replace(old, changed *object) bool {
	e := b.index.get(old.key)
	if e == nil {
		return false
	}
	i := slices.Index(e.versions, old)
	if i < 0 {
		return false
	}
	e.versions = slices.Clone(e.versions)
	e.versions[i] = changed
	return true
}

func bucketARN(bucket string) string      { return "arn:aws:s3:::" + bucket }
func objectARN(bucket, key string) string { return "arn:aws:s3:::" + bucket + "/" + key }
