// Package rate limits how often something happens per second.
//
// It implements a token bucket that allows a short burst and is safe for concurrent use. A limiter
// without a rate allows everything. The services decide what to answer above the rate.
//
// Terms: a [Limiter] is one token bucket. [Limiters] are token buckets by name, for example by
// account.
package rate

import (
	"sync"
	"time"
)

// burst is the time in seconds for which an idle limiter collects tokens, in addition to the first
// token.
const burst = 0.1

// Limiter is a token bucket. It uses [time.Now], not the clock of the services: with a clock that a
// test has stopped, it would never refill. In a testing/synctest bubble time.Now is virtual.
type Limiter struct {
	mu        sync.Mutex
	perSecond float64 // 0: no limit
	tokens    float64
	filled    time.Time
}

// Set changes the rate and fills the bucket.
func (l *Limiter) Set(perSecond float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.perSecond, l.tokens, l.filled = perSecond, 1+burst*perSecond, time.Time{}
}

// Take removes a token from the bucket. It returns false if the bucket has none.
func (l *Limiter) Take() bool {
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

// Limiters are limiters by name.
type Limiters struct {
	mu     sync.Mutex
	byName map[string]*Limiter
}

// Of returns the limiter of that name. A new limiter has no limit.
func (l *Limiters) Of(name string) *Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName == nil {
		l.byName = map[string]*Limiter{}
	}
	if l.byName[name] == nil {
		l.byName[name] = &Limiter{}
	}
	return l.byName[name]
}
