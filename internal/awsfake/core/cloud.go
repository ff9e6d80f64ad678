// Package core provides what all services of the fake share: entry points, requests, authorisation,
// faults and counts.
//
// It reads, counts and delays each request, applies faults to it and authenticates it, in that
// order. Then the service that the request is signed for serves it. Every decision evaluates all
// the policies that AWS evaluates. Core does not depend on the services. Each service registers a
// [Service], with its name, its protocol and its handler, and calls Decide with a [Question] that
// contains the policy of the resource.
//
// Terms: a [Cloud] is the part of the fake AWS that all services share. A [Request] is one HTTP
// request to a service, with its caller and the context keys that policies can test.
package core

import (
	"log/slog"
	"sync/atomic"
	"time"

	"syncd/internal/awsfake/directory"
	"syncd/internal/awsfake/fault"
	"syncd/internal/awsfake/random"
)

// Options are the settings of a cloud. The zero value works.
type Options struct {
	// Now is the clock of the services; nil means [time.Now]. A signature is accepted if its time
	// is within 15 minutes of this clock or of [time.Now], because SDK clients sign with time.Now
	// even when a test moves the clock.
	Now func() time.Time
	// OneClock means that the time of a signature is compared only with Now. As in AWS, a client
	// with a wrong clock is then rejected.
	OneClock bool
	// Logger receives one debug line per request; nil means that nothing is logged.
	Logger *slog.Logger
	// Seed makes IDs, ETags and keys repeatable if it is not zero. Repeatable keys give no
	// protection.
	Seed uint64
	// PlainHTTPInsecure sets aws:SecureTransport to false for requests over plain HTTP. Without
	// this option, aws:SecureTransport is always true: the fake usually listens on loopback without
	// TLS, so policies that deny plain HTTP would deny everything.
	PlainHTTPInsecure bool
}

// Cloud is the part of the fake AWS that all services share. It is safe for concurrent use.
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

// New returns a cloud without accounts or services.
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

// Serve adds services. It must be called before the first request.
func (c *Cloud) Serve(services ...Service) { c.services = append(c.services, services...) }

// Inject applies a fault to subsequent requests, until remove is called.
func (c *Cloud) Inject(f fault.Fault) (remove func()) { return c.faults.Inject(f) }

// SetLatency delays every request by d, or until its context ends.
func (c *Cloud) SetLatency(d time.Duration) { c.latency.Store(int64(d)) }

func (c *Cloud) latencyNow() time.Duration { return time.Duration(c.latency.Load()) }

// Requests returns the counts since the start or the last [Cloud.ResetRequests].
func (c *Cloud) Requests() Requests { return c.counts.read(func() Requests { return c.counts.total }) }

// BucketRequests returns the counts of the requests to that bucket. A copy is counted for its
// destination bucket.
func (c *Cloud) BucketRequests(bucket string) Requests {
	return c.counts.read(func() Requests { return c.counts.buckets[bucket] })
}

// KeyRequests returns how often "GenerateDataKey", "Encrypt" and "Decrypt" were called on the KMS
// key with that ARN. It counts the calls of clients and the calls of S3 in a client's name. Calls
// for objects with a bucket key count too, although AWS would serve some of those from a cache.
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

// Throttled returns how many requests of each operation were answered with a throttling error,
// because of a rate limit or a fault. To get the share of throttled requests, divide by the counts
// from [Cloud.Requests].
func (c *Cloud) Throttled() Requests {
	return c.counts.read(func() Requests { return c.counts.throttled })
}

// CountKey counts one use of a KMS key.
func (c *Cloud) CountKey(arn, operation string) { c.counts.addKey(arn, operation) }
