package awsfake

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// burst is for how long, in seconds, a limiter that nobody asks saves up tokens, beyond the first.
const burst = 0.1

// limiter is a token bucket. It goes by [time.Now], not by the clock of the services: a clock that a
// test holds still would never let a token grow, and in a testing/synctest bubble time.Now is virtual.
type limiter struct {
	mu        sync.Mutex
	perSecond float64 // 0: no limit
	tokens    float64
	filled    time.Time
}

// set changes the rate and begins with a full bucket.
func (l *limiter) set(perSecond float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.perSecond, l.tokens, l.filled = perSecond, 1+burst*perSecond, time.Time{}
}

// take takes a token; false when there is none.
func (l *limiter) take() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.perSecond <= 0 {
		return true
	}
	now := time.Now()
	if elapsed := now.Sub(l.filled); !l.filled.IsZero() && elapsed > 0 {
		l.tokens = min(1+burst*l.perSecond, l.tokens+elapsed.Seconds()*l.perSecond)
	}
	l.filled = now
	if l.tokens < 1 {
		return false
	}
	l.tokens--
	return true
}

// Rates are how many requests a second S3 serves on each prefix of a bucket before it answers 503
// SlowDown; 0 is no limit. AWS promises 3,500 writes and 5,500 reads ("Best practices design patterns:
// optimizing Amazon S3 performance", Amazon S3 User Guide).
type Rates struct {
	Writes float64 // PUT, COPY, POST and DELETE
	Reads  float64 // GET, HEAD and LIST; a copy reads its source too
	// Depth is how many levels of "/" S3 has partitioned the bucket by: with 0 all keys share one
	// limit, with 1 "a/x" and "b/x" do not.
	Depth int
}

// rates are a bucket's limits, a pair of limiters for each prefix that was met.
type rates struct {
	mu    sync.Mutex
	set   Rates
	reads map[string]*limiter
	write map[string]*limiter
}

// SetRates limits the requests on each prefix of the bucket. One request and a tenth of a second's worth
// of them pass at once.
func (b *Bucket) SetRates(r Rates) {
	b.rates.mu.Lock()
	defer b.rates.mu.Unlock()
	b.rates.set, b.rates.reads, b.rates.write = r, map[string]*limiter{}, map[string]*limiter{}
}

// take takes a token for a request on that key, or for a listing of that prefix.
func (r *rates) take(key string, writes bool) bool {
	r.mu.Lock()
	perSecond, limiters := r.set.Reads, r.reads
	if writes {
		perSecond, limiters = r.set.Writes, r.write
	}
	if perSecond <= 0 {
		r.mu.Unlock()
		return true
	}
	prefix := partition(key, r.set.Depth)
	l := limiters[prefix]
	if l == nil {
		l = &limiter{}
		l.set(perSecond)
		limiters[prefix] = l
	}
	r.mu.Unlock()
	return l.take()
}

// partition is the prefix of a key that counts: its first depth levels, or all of them when it has fewer.
func partition(key string, depth int) string {
	end := 0
	for range depth {
		i := strings.IndexByte(key[end:], '/')
		if i < 0 {
			break
		}
		end += i + 1
	}
	return key[:end]
}

// SetRate limits how often a second the key can be used, by anybody: beyond it S3 answers 503 SlowDown
// with the sentence about KMS, and KMS itself 400 ThrottlingException; 0 is no limit.
func (k *Key) SetRate(perSecond float64) { k.rate.set(perSecond) }

// SetKMSRate limits the account's calls of KMS in all its Regions together, on whoever's keys: a call
// counts on its caller's account ("Request quotas", AWS KMS Developer Guide); 0 is no limit.
func (a *Account) SetKMSRate(perSecond float64) { a.kmsRate.set(perSecond) }

// SetSTSRate limits the account's calls of STS; an AssumeRole of another account's role counts on its
// caller's account. Beyond it STS answers 400 ThrottlingException. 0 is no limit; AWS's is 600.
func (a *Account) SetSTSRate(perSecond float64) { a.stsRate.set(perSecond) }

// throttleS3 refuses a request on a bucket that is beyond its rates.
func (q *request) throttleS3(b *Bucket) error {
	key := q.key
	if key == "" {
		key = q.query.Get("prefix")
	}
	writes := !slices.Contains([]string{http.MethodGet, http.MethodHead}, q.http.Method)
	if b.rates.take(key, writes) {
		return nil
	}
	return throttled(serviceS3)
}

// throttleKMS refuses to work with a key beyond its rate, or its caller's account's.
func (q *request) throttleKMS(k *Key, action, service string) error {
	if manages(strings.TrimPrefix(action, "kms:")) || k.rate.take() && q.caller.account.kmsRate.take() {
		return nil
	}
	return throttledKMS(service)
}

// Throttled returns how many requests were answered with a throttling error, by rates or by faults, by
// the name of their operation: beside [Cloud.Requests] it tells the share.
func (c *Cloud) Throttled() Requests {
	return c.counts.read(func() Requests { return c.counts.throttled })
}

func (n *counts) addThrottled(operation string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.throttled[operation]++
}

// isThrottling reports whether the refusal says "slow down" in the words of any of the services.
func (e *apiError) isThrottling() bool {
	return slices.Contains([]string{"SlowDown", "ThrottlingException", "Throttling"}, e.code)
}
