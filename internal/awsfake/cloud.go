// Package awsfake is a working double of S3, STS, KMS, IAM and CloudFormation of several AWS accounts behind one HTTP endpoint.
//
// It promises what a careful client could notice: signatures are verified, sessions expire, every request is authorised by
// [iam.Evaluate] against the policies of the caller, of the bucket, key or role, of their organizations and of the VPC endpoint, S3
// calls KMS as the caller, object bytes are encrypted at rest under the named key, and refusals carry AWS's codes, statuses and
// sentences. What it does not know it refuses with 501 and the operation's name; it never guesses.
//
// It leaves out what a copy of a bucket never meets: ACLs other than the owner's (an object that another account owns is put by the owner's hand), reading under a key of the customer (SSE-C), the
// default retention of object lock, acting on lifecycle rules, replication, notifications, anonymous requests, and eventual consistency. Bucket keys
// are not cached: every use asks KMS again, so that a revoked grant is felt at once.
//
// Words to know. A [Cloud] is the whole of AWS; it has two doors, a listener ([Cloud.ServeHTTP]) and an in-memory one
// ([Cloud.RoundTripper]), and an [Endpoint] is another pair of them, inside a VPC. The owner's hand is the Go API of [Account],
// [Bucket] and [Key]: it arranges the world without a request, and is neither authorised nor counted. A fault is a named misbehaviour
// hung on requests with [Cloud.Inject]; [Rates] are how much a bucket takes before it says SlowDown. A synthetic body is generated
// when it is read and costs no memory.
package awsfake

import (
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Options are the settings of a [Cloud]; the zero value works.
type Options struct {
	// Now is the clock of the services; nil means [time.Now]. A signature is in time when it is within 15 minutes of this clock or
	// of [time.Now]: an SDK client signs with the latter, whatever clock a test turns.
	Now func() time.Time
	// OneClock has the time of a signature compared with Now alone, as AWS does: a client whose clock is wrong is refused.
	OneClock bool
	// Logger gets one debug line a request; nil discards.
	Logger *slog.Logger
	// Seed makes ids, ETags and keys repeatable when it is not zero. Such keys protect nothing.
	Seed uint64
	// PlainHTTPInsecure reports aws:SecureTransport as false for requests over plain HTTP. Without it the key is always true: the
	// fake usually listens on loopback, where policies that refuse plain HTTP would refuse everything.
	PlainHTTPInsecure bool
}

// Cloud is every account of the fake AWS. It is safe for concurrent use.
type Cloud struct {
	now       func() time.Time
	oneClock  bool
	log       *slog.Logger
	plainHTTP bool
	random    *random
	crc       *crc64nvme
	ownedByS3 *Key // wraps the data keys of SSE-S3
	s3        map[string]s3Operation
	iam       map[string]iamOperation
	kms       map[string]kmsOperation
	faults    faults
	counts    counts
	latency   atomic.Int64
	packed    atomic.Int64 // the limit of packed policies, in bytes

	stacksMu sync.Mutex // held before mu
	stacks   []*stack

	mu          sync.RWMutex // guards the maps, and the policies and states of what is in them
	accounts    map[string]*Account
	credentials map[string]*credential  // by access key id
	users       map[string]*User        // by ARN
	roles       map[string]*Role        // by ARN
	managed     map[string]*managed     // policies, by ARN
	keys        map[string]*Key         // by ARN
	aliases     map[string]*Key         // by the ARN of the alias
	buckets     map[string]*Bucket      // by name
	points      map[string]*AccessPoint // by ARN and by alias
	patterns    map[uint64]*pattern     // by seed, of the synthetic bodies put so far
}

// New returns a cloud without accounts.
func New(o Options) *Cloud {
	c := &Cloud{
		now: o.Now, oneClock: o.OneClock, log: o.Logger, plainHTTP: o.PlainHTTPInsecure,
		random: newRandom(o.Seed), crc: newCRC64NVME(), s3: s3Operations(), iam: iamOperations(), kms: kmsOperations(),
		counts:   counts{total: Requests{}, throttled: Requests{}, buckets: map[string]Requests{}, keys: map[string]Requests{}},
		accounts: map[string]*Account{}, credentials: map[string]*credential{},
		users: map[string]*User{}, roles: map[string]*Role{}, managed: managedByAWS(), keys: map[string]*Key{}, aliases: map[string]*Key{},
		buckets: map[string]*Bucket{}, points: map[string]*AccessPoint{}, patterns: map[uint64]*pattern{},
	}
	if c.now == nil {
		c.now = time.Now
	}
	c.ownedByS3 = c.newKey(&Account{cloud: c, id: "s3"}, "", nil)
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c
}

// Account returns the account of that id, which begins to exist with its first use.
func (c *Cloud) Account(id string) *Account {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.accounts[id]
	if a == nil {
		a = &Account{cloud: c, id: id, managed: map[string]*Key{}}
		c.accounts[id] = a
	}
	return a
}

// SetLatency makes every request wait that long before it is served, or until its context ends.
func (c *Cloud) SetLatency(d time.Duration) { c.latency.Store(int64(d)) }

func (c *Cloud) latencyNow() time.Duration { return time.Duration(c.latency.Load()) }

// Requests counts requests by the name of their operation ("ListObjectsV2", "AssumeRole"); a request that was refused counts too.
type Requests map[string]int64

// Requests returns the counts since the start or the last [Cloud.ResetRequests].
func (c *Cloud) Requests() Requests { return c.counts.read(func() Requests { return c.counts.total }) }

// BucketRequests returns the counts of the requests addressed to that bucket; a copy is addressed to its destination.
func (c *Cloud) BucketRequests(bucket string) Requests {
	return c.counts.read(func() Requests { return c.counts.buckets[bucket] })
}

// KeyRequests returns how often a KMS key, given by its ARN, was asked to "GenerateDataKey", "Encrypt" or "Decrypt", directly or by
// S3 as the caller. An object under a bucket key asks too, where AWS would answer from its cache.
func (c *Cloud) KeyRequests(arn string) Requests {
	return c.counts.read(func() Requests { return c.counts.keys[arn] })
}

// ResetRequests sets every count to zero.
func (c *Cloud) ResetRequests() {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	clear(c.counts.total)
	clear(c.counts.throttled)
	clear(c.counts.buckets)
	clear(c.counts.keys)
}

type counts struct {
	mu               sync.Mutex
	total, throttled Requests
	buckets, keys    map[string]Requests
}

func (n *counts) add(operation, bucket string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.total[operation]++
	if bucket != "" {
		increment(n.buckets, bucket, operation)
	}
}

func (n *counts) addKey(arn, operation string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	increment(n.keys, arn, operation)
}

func increment(by map[string]Requests, name, operation string) {
	r := by[name]
	if r == nil {
		r = Requests{}
		by[name] = r
	}
	r[operation]++
}

func (n *counts) read(of func() Requests) Requests {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := Requests{}
	maps.Copy(out, of())
	return out
}
