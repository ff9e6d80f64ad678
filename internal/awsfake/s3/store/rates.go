package store

import (
	"strings"
	"sync"

	"syncd/internal/awsfake/rate"
)

// Rates limit how many requests a second S3 serves on each prefix of a bucket before it answers 503
// SlowDown; 0 means no limit. AWS supports at least 3,500 writes and 5,500 reads per second ("Best
// practices design patterns: optimizing Amazon S3 performance", Amazon S3 User Guide).
type Rates struct {
	Writes float64 // PUT, COPY, POST and DELETE
	Reads  float64 // GET, HEAD and LIST; a copy also reads its source
	// Depth is the number of "/" levels by which S3 has partitioned the bucket. With 0 all keys
	// share one limit; with 1, "a/x" and "b/x" have separate limits.
	Depth int
}

// rates contains a bucket's limits, with a pair of limiters for each prefix in use.
type rates struct {
	mu    sync.Mutex
	set   Rates
	reads map[string]*rate.Limiter
	write map[string]*rate.Limiter
}

// take removes a token for a request on the given key, or for a listing of the given prefix.
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
		l = &rate.Limiter{}
		l.Set(perSecond)
		limiters[prefix] = l
	}
	r.mu.Unlock()
	return l.Take()
}

// partition returns the prefix that a key is limited by: its first depth levels, or all levels if
// it has fewer.
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
