// Package core is what all services of the fake share: entry points, requests, authorisation,
// faults and counts.
//
// It promises that a request is read, counted, delayed, hit by faults, authenticated and then
// served, in that order, by the service that it is signed for, and that every decision asks all the
// policies that AWS asks. It knows no service: each hands in a [Service], its name, its protocol
// and what serves it, and asks with a [Question] that carries the policy of its own resource.
//
// Words to know. A [Cloud] is the whole of AWS without its services; a [Request] is one HTTP
// request on its way through one of them, with its caller and the context keys that policies may
// test.
package core

import (
	"log/slog"
	"sync/atomic"
	"time"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/fault"
	"syncd/internal/awsfake/random"
)

// Options are the settings of a cloud; the zero value works.
type Options struct {
	// Now is the clock of the services; nil means [time.Now]. A signature is in time when it is
	// within 15 minutes of this clock or of [time.Now]: an SDK client signs with the latter,
	// whatever clock a test turns.
	Now func() time.Time
	// OneClock has the time of a signature compared with Now alone, as AWS does: a client whose
	// clock is wrong is refused.
	OneClock bool
	// Logger gets one debug line a request; nil discards.
	Logger *slog.Logger
	// Seed makes ids, ETags and keys repeatable when it is not zero. Such keys protect nothing.
	Seed uint64
	// PlainHTTPInsecure reports aws:SecureTransport as false for requests over plain HTTP. Without
	// it the key is always true: the fake usually listens on loopback, where policies that refuse
	// plain HTTP would refuse everything.
	PlainHTTPInsecure bool
}

// Cloud is what all services of the fake AWS share. It is safe for concurrent use.
type Cloud struct {
	Now       func() time.Time
	oneClock  bool
	log       *slog.Logger
	plainHTTP bool
	Random    *random.Source
	Directory *directory.Directory
	services  []Service
	faults    fault.Faults
	counts    counts
	latency   atomic.Int64
}

// New returns a cloud without accounts and without services.
func New(o Options) *Cloud {
	c := &Cloud{Now: o.Now, oneClock: o.OneClock, log: o.Logger, plainHTTP: o.PlainHTTPInsecure, Random: random.New(o.Seed), counts: newCounts()}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.Directory = directory.New(c.Now, c.Random)
	return c
}

// Serve adds services, before the first request.
func (c *Cloud) Serve(services ...Service) { c.services = append(c.services, services...) }

// Inject hangs a fault on the requests to come, until remove is called.
func (c *Cloud) Inject(f fault.Fault) (remove func()) { return c.faults.Inject(f) }

// SetLatency makes every request wait that long before it is served, or until its context ends.
func (c *Cloud) SetLatency(d time.Duration) { c.latency.Store(int64(d)) }

func (c *Cloud) latencyNow() time.Duration { return time.Duration(c.latency.Load()) }

// Requests returns the counts since the start or the last [Cloud.ResetRequests].
func (c *Cloud) Requests() Requests { return c.counts.read(func() Requests { return c.counts.total }) }

// BucketRequests returns the counts of the requests addressed to that bucket; a copy is addressed
// to its destination.
func (c *Cloud) BucketRequests(bucket string) Requests {
	return c.counts.read(func() Requests { return c.counts.buckets[bucket] })
}

// KeyRequests returns how often a KMS key, given by its ARN, was asked to "GenerateDataKey",
// "Encrypt" or "Decrypt", directly or by S3 as the caller. An object under a bucket key asks too,
// where AWS would answer from its cache.
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

// Throttled returns how many requests were answered with a throttling error, by rates or by faults,
// by the name of their operation: beside [Cloud.Requests] it tells the share.
func (c *Cloud) Throttled() Requests {
	return c.counts.read(func() Requests { return c.counts.throttled })
}

// CountKey counts a use of a KMS key.
func (c *Cloud) CountKey(arn, operation string) { c.counts.addKey(arn, operation) }
