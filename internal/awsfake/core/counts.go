package core

import (
	"maps"
	"sync"
)

// newCounts returns empty counts.
func newCounts() counts {
	return counts{total: Requests{}, throttled: Requests{}, buckets: map[string]Requests{}, keys: map[string]Requests{}}
}

// Requests counts requests by operation name ("ListObjectsV2", "AssumeRole"). Rejected requests
// count too.
type Requests map[string]int64

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

func (n *counts) addThrottled(operation string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.throttled[operation]++
}
