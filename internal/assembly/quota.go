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
	// startConcurrency is the initial number of concurrent requests of a mapping, unless it is
	// configured; leastConcurrency and mostConcurrency are the bounds within which it adapts. At
	// 100 ms per copy the maximum allows more than the 3,500 copies per second that S3 supports for
	// a prefix (Amazon S3 User Guide, "Best practices design patterns").
	startConcurrency = 64
	leastConcurrency = 4
	mostConcurrency  = 512
	// maxAssumed is how many sessions are requested per second. Many mappings may start at the same
	// time, and the quota is shared by everything that runs in the account.
	maxAssumed = 40
)

// quotas has the quotas of services. Mappings that use the same quota share it.
type quotas struct {
	mu     sync.Mutex
	shared map[string]*throttle.Quota
}

// of returns a mapping's draw on the quota with the given service and name.
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

// pace has the limits for the requests of one mapping.
type pace struct {
	level                    *throttle.Level
	source, destination, sts *throttle.Draw
	decrypt, encrypt         *throttle.Draw // KMS quotas of the reader of the source and the writer of the destination
	cap, kmsCap              *throttle.Controller
	bytes                    *throttle.Bytes
}

// guard limits the requests to one side of the mapping. In a server-side copy, S3 reads the source
// on behalf of the destination request, and errors do not show which of the two was throttled. Such
// a copy counts against the destination's quota.
func (p pace) guard(service, kms *throttle.Draw) func(*middleware.Stack) error {
	return (&throttle.Guard{Level: p.level, Service: service, KMS: kms, Cap: p.cap, KMSCap: p.kmsCap}).Attach
}

// show makes the mapping's figure read its limits from p.
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
