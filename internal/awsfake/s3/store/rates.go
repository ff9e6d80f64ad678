package store

import (
	"strings"
	"sync"

	"syncd/internal/awsfake/rate"
)

// Rates are how many requests a second S3 serves on each prefix of a bucket before it answers 503
// SlowDown; 0 is no limit. AWS promises 3,500 writes and 5,500 reads ("Best practices design
// patterns: optimizing Amazon S3 performance", Amazon S3 User Guide).
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
	reads map[string]*rate.Limiter
	write map[string]*rate.Limiter
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
		l = &rate.Limiter{}
		l.Set(perSecond)
		limiters[prefix] = l
	}
	r.mu.Unlock()
	return l.Take()
}

// partition is the prefix of a key that counts: its first depth levels, or all of them when it has
// fewer.
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
