package assembly

import (
	"cmp"
	"strings"
	"sync"

	"github.com/aws/smithy-go/middleware"

	"syncd/config"
	"syncd/internal/awserr"
	"syncd/internal/metrics"
	"syncd/internal/plan"
	"syncd/internal/throttle"
)

const (
	// startConcurrency is how many requests of a mapping are under way at once to begin with, where the configuration
	// leaves it open; leastConcurrency and mostConcurrency bound where it finds its level. At 100 ms a copy the most is
	// more than the 3,500 copies a second that a prefix takes (Amazon S3 User Guide, "Best practices design patterns").
	startConcurrency = 64
	leastConcurrency = 4
	mostConcurrency  = 512
	// maxAssumed is how many sessions are asked for in a second: many mappings may begin at once, and the quota of an account is for
	// all that runs there.
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

// pace makes the bounds of a mapping. KMS counts by the account that asks and by region, S3 by bucket, STS by account.
func (b builder) pace() pace {
	m := b.mapping
	p := pace{
		level:       throttle.NewLevel(concurrencyOf(m)),
		source:      b.quotas.of("source", b.config.Service(m.Source.EndpointURL), cmp.Or(m.Source.Holder(), m.Source.Identity())),
		destination: b.quotas.of("destination", b.config.Service(m.Destination.EndpointURL), m.Destination.Bucket),
		encrypt:     b.quotas.of("kms", b.caller(m.Destination.Role), m.Destination.Region),
		sts:         b.quotas.of("sts", m.Destination.Region),
		bytes:       throttle.NewBytes(int64(m.Limits.BytesPerSecond)),
	}
	p.decrypt = p.encrypt
	if b.caller(m.Source.Role) != b.caller(m.Destination.Role) || m.Source.Region != m.Destination.Region {
		p.decrypt = b.quotas.of("kms", b.caller(m.Source.Role), m.Source.Region)
	}
	if n := m.Limits.RequestsPerSecond; n > 0 {
		p.cap = throttle.NewController(throttle.ControllerOptions{Name: "limits.requests_per_second", Cap: float64(n)})
	}
	if n := m.Limits.KMSRequestsPerSecond; n > 0 {
		p.kmsCap = throttle.NewController(throttle.ControllerOptions{Name: "limits.kms_requests_per_second", Cap: float64(n)})
	}
	return p
}

// caller names the account whose quotas a role's requests draw on; the ambient credentials have one, whatever it is.
func (b builder) caller(role string) string {
	return cmp.Or(b.config.Roles[role].Account(), "ambient")
}

// guard paces the requests to one side of the mapping. A server-side copy reads the source under the destination's hands,
// and its errors do not say which of the two is too slow: it goes by the destination's quota.
func (p pace) guard(service, kms *throttle.Draw) func(*middleware.Stack) error {
	return (&throttle.Guard{Level: p.level, Service: service, KMS: kms, Cap: p.cap, KMSCap: p.kmsCap}).Attach
}

// show has the metrics ask the mapping's bounds.
func (p pace) show(m *metrics.Metrics, mapping string) {
	m.ConcurrencyLimit.Set(func() (float64, bool) { return float64(p.level.Limit()), true }, mapping)
	sides := map[string]*throttle.Draw{"source": p.source, "destination": p.destination, "kms": p.encrypt, "sts": p.sts}
	if p.decrypt != p.encrypt {
		sides["source_kms"] = p.decrypt
	}
	for side, draw := range sides {
		m.RateLimit.Set(draw.Rate, mapping, side)
		m.Throttles.Set(func() (float64, bool) { return float64(draw.Throttles()), true }, mapping, side)
	}
}

// concurrencyOf returns the bounds of the requests that a mapping has under way at once.
func concurrencyOf(m config.Mapping) throttle.LevelOptions {
	if n := int(m.Copy.Concurrency); n > 0 {
		return throttle.LevelOptions{Min: n, Start: n, Max: n}
	}
	return throttle.LevelOptions{Min: leastConcurrency, Start: startConcurrency, Max: mostConcurrency}
}

// terms are what the copies of a mapping cost by, and what bounds their time.
func (b builder) terms() plan.Terms {
	m := b.mapping
	owner := func(role string) bool {
		account := b.config.Roles[role].Account()
		return account != "" && account == m.Source.Account
	}
	how := b.config.Transfer(m)
	how.RelayMemory = relayMemory
	return plan.Terms{
		Settings: how, Sweeps: b.config.Roles[m.Destination.Role].ARN != "",
		BucketKey: m.Destination.BucketKey, SourceRegion: m.Source.Region, DestinationRegion: m.Destination.Region,
		RequesterPays: m.Source.RequestPayer, ReaderIsOwner: owner(m.Source.Role), WriterIsOwner: owner(m.Destination.Role),
		Pace: plan.Pace{
			Concurrency: concurrencyOf(m).Max, RequestsPerSecond: float64(m.Limits.RequestsPerSecond),
			KMSRequestsPerSecond: float64(m.Limits.KMSRequestsPerSecond), BytesPerSecond: float64(m.Limits.BytesPerSecond),
		},
	}
}

// charged reports whether AWS charges for requests that end so: it does for success and for faults of the caller, and not for
// its own (Amazon S3 User Guide, "Billing for Amazon S3 error responses").
func charged(class awserr.Class) bool {
	return !class.Passes() && class != awserr.Canceled
}
