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
	// startConcurrency is the initial number of concurrent requests of a mapping, unless
	// copy.concurrency is set. The number then adapts between leastConcurrency and mostConcurrency.
	// At 100 ms per copy, mostConcurrency allows more than the 3,500 copies per second that S3
	// supports for a prefix (Amazon S3 User Guide, "Best practices design patterns").
	startConcurrency = 64
	leastConcurrency = 4
	mostConcurrency  = 512
	// maxAssumed limits how many sessions are requested per second. Many mappings may start at the
	// same time, and everything that runs in the account shares the quota of STS.
	maxAssumed = 40
)

// quotas contains the known quotas of AWS services. Mappings whose requests count against the same
// quota share one throttle.Quota.
type quotas struct {
	mu     sync.Mutex
	shared map[string]*throttle.Quota
}

// of returns a new draw on a quota, for one mapping. service and quota together name the quota,
// which is created if it does not exist yet.
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

// pace contains the limits for the requests of one mapping.
type pace struct {
	level                    *throttle.Level
	source, destination, sts *throttle.Draw
	decrypt, encrypt         *throttle.Draw // KMS quotas: of the role that reads the source, and of the role that writes the destination
	cap, kmsCap              *throttle.Controller
	bytes                    *throttle.Bytes
}

// guard returns a func that attaches the middleware that limits the requests to one side of the
// mapping. In a server-side copy, S3 reads the source on behalf of the request to the destination,
// and errors do not show which of the two was throttled. Such a copy counts against the quota of
// the destination.
func (p pace) guard(service, kms *throttle.Draw) func(*middleware.Stack) error {
	return (&throttle.Guard{Level: p.level, Service: service, KMS: kms, Cap: p.cap, KMSCap: p.kmsCap}).Attach
}

// show makes the metrics and the status page of a mapping show the limits in p.
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

// concurrencyOf returns the bounds for the number of concurrent requests of a mapping.
func concurrencyOf(m config.Mapping) throttle.LevelOptions {
	if n := int(m.Copy.Concurrency); n > 0 {
		return throttle.LevelOptions{Min: n, Start: n, Max: n}
	}
	return throttle.LevelOptions{Min: leastConcurrency, Start: startConcurrency, Max: mostConcurrency}
}
