package awsfake

import (
	"log/slog"
	"sync/atomic"
	"time"
)

// Options are the settings of a cloud; the zero value works.
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

// hub is what all services of the fake AWS share. It is safe for concurrent use.
type hub struct {
	now       func() time.Time
	oneClock  bool
	log       *slog.Logger
	plainHTTP bool
	random    *random
	directory *directory
	services  []service
	faults    faults
	counts    counts
	latency   atomic.Int64
}

// newHub returns a cloud without accounts and without services.
func newHub(o Options) *hub {
	c := &hub{now: o.Now, oneClock: o.OneClock, log: o.Logger, plainHTTP: o.PlainHTTPInsecure, random: newRandom(o.Seed), counts: newCounts()}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.directory = newDirectory(c.now, c.random)
	return c
}

// serve adds services, before the first request.
func (c *hub) serve(services ...service) { c.services = append(c.services, services...) }

// Inject hangs a fault on the requests to come, until remove is called.
func (c *hub) Inject(f Fault) (remove func()) { return c.faults.inject(f) }

// SetLatency makes every request wait that long before it is served, or until its context ends.
func (c *hub) SetLatency(d time.Duration) { c.latency.Store(int64(d)) }

func (c *hub) latencyNow() time.Duration { return time.Duration(c.latency.Load()) }

// Requests returns the counts since the start or the last [Cloud.ResetRequests].
func (c *hub) Requests() Requests { return c.counts.read(func() Requests { return c.counts.total }) }

// BucketRequests returns the counts of the requests addressed to that bucket; a copy is addressed to its destination.
func (c *hub) BucketRequests(bucket string) Requests {
	return c.counts.read(func() Requests { return c.counts.buckets[bucket] })
}

// KeyRequests returns how often a KMS key, given by its ARN, was asked to "GenerateDataKey", "Encrypt" or "Decrypt", directly or by
// S3 as the caller. An object under a bucket key asks too, where AWS would answer from its cache.
func (c *hub) KeyRequests(arn string) Requests {
	return c.counts.read(func() Requests { return c.counts.keys[arn] })
}

// ResetRequests sets every count to zero.
func (c *hub) ResetRequests() {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	clear(c.counts.total)
	clear(c.counts.throttled)
	clear(c.counts.buckets)
	clear(c.counts.keys)
}

// Throttled returns how many requests were answered with a throttling error, by rates or by faults, by
// the name of their operation: beside [Cloud.Requests] it tells the share.
func (c *hub) Throttled() Requests {
	return c.counts.read(func() Requests { return c.counts.throttled })
}

// countKey counts a use of a KMS key.
func (c *hub) countKey(arn, operation string) { c.counts.addKey(arn, operation) }
