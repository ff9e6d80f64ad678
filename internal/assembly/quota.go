package assembly

import (
	"strings"
	"sync"

	"github.com/aws/smithy-go/middleware"

	"syncd/config"
	"syncd/internal/figure"
	"syncd/internal/throttle"
)

const (
	// startConcurrency is how many requests of a mapping are under way at once to begin with, where
	// the configuration leaves it open; leastConcurrency and mostConcurrency bound where it finds
	// its level. At 100 ms a copy the most is more than the 3,500 copies a second that a prefix
	// takes (Amazon S3 User Guide, "Best practices design patterns").
	startConcurrency = 64
	leastConcurrency = 4
	mostConcurrency  = 512
	// maxAssumed is how many sessions are asked for in a second: many mappings may begin at once,
	// and the quota of an account is for all that runs there.
	maxAssumed = 40
)

// quotas are the services' quotas, which mappings share that draw on the same.
type quotas struct {
	mu     sync.Mutex
	shared map[string]*throttle.Quota
}

// of returns a mapping's draw on the quota of a service for what the rest names.
func (q *quotas) of(service string, quota ...string) *throttle.Draw {
	name := service + " " + strings.Join(quota, " ")
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.shared == nil {
		q.shared = map[string]*throttle.Quota{}
	}
	if q.shared[name] == nil {
		o := throttle.ControllerOptions{Name: service}
		if service == "sts" {
			o.Cap = maxAssumed
		}
		q.shared[name] = throttle.NewQuota(o)
	}
	return q.shared[name].Draw()
}

// pace is what bounds the requests of one mapping.
type pace struct {
	level                    *throttle.Level
	source, destination, sts *throttle.Draw
	decrypt, encrypt         *throttle.Draw // KMS, as whoever reads the source and whoever writes the destination
	cap, kmsCap              *throttle.Controller
	bytes                    *throttle.Bytes
}

// guard paces the requests to one side of the mapping. A server-side copy reads the source under
// the destination's hands, and its errors do not say which of the two is too slow: it goes by the
// destination's quota.
func (p pace) guard(service, kms *throttle.Draw) func(*middleware.Stack) error {
	return (&throttle.Guard{Level: p.level, Service: service, KMS: kms, Cap: p.cap, KMSCap: p.kmsCap}).Attach
}

// show has the mapping's figure ask for its bounds.
func (p pace) show(f *figure.Mapping) {
	f.AskConcurrency(func() int64 { return int64(p.level.Limit()) })
	sides := map[string]*throttle.Draw{"source": p.source, "destination": p.destination, "kms": p.encrypt, "sts": p.sts}
	if p.decrypt != p.encrypt {
		sides["source_kms"] = p.decrypt
	}
	for side, draw := range sides {
		f.AskRate(side, draw.Rate)
		f.AskThrottles(side, draw.Throttles)
	}
}

// concurrencyOf returns the bounds of the requests that a mapping has under way at once.
func concurrencyOf(m config.Mapping) throttle.LevelOptions {
	if n := int(m.Copy.Concurrency); n > 0 {
		return throttle.LevelOptions{Min: n, Start: n, Max: n}
	}
	return throttle.LevelOptions{Min: leastConcurrency, Start: startConcurrency, Max: mostConcurrency}
}
