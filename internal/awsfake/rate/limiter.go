// Package rate limits how often a second something may happen.
//
// It promises a token bucket that lets a short burst pass and is safe for concurrent use; a limiter
// without a rate lets everything pass. What is refused beyond the rate, and in which words, it
// leaves to the services.
//
// Words to know. A [Limiter] is one bucket of tokens; [Limiters] are one a name, an account for
// instance.
package rate

import (
	"sync"
	"time"
)

// burst is for how long, in seconds, a limiter that nobody asks saves up tokens, beyond the first.
const burst = 0.1

// Limiter is a token bucket. It goes by [time.Now], not by the clock of the services: a clock that
// a test holds still would never let a token grow, and in a testing/synctest bubble time.Now is
// virtual.
type Limiter struct {
	mu        sync.Mutex
	perSecond float64 // 0: no limit
	tokens    float64
	filled    time.Time
}

// Set changes the rate and begins with a full bucket.
func (l *Limiter) Set(perSecond float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.perSecond, l.tokens, l.filled = perSecond, 1+burst*perSecond, time.Time{}
}

// Take takes a token; false when there is none.
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

// Limiters are a limiter a name.
type Limiters struct {
	mu     sync.Mutex
	byName map[string]*Limiter
}

// Of is the limiter of that name, which begins without a limit.
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
