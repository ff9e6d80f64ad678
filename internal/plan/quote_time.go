package plan

import "time"

// Pace contains the limits on the speed of a pass.
type Pace struct {
	// Concurrency is the maximum number of requests in flight at once.
	Concurrency int
	// RequestsPerSecond, KMSRequestsPerSecond and BytesPerSecond are the configured limits; 0 means
	// no limit.
	RequestsPerSecond, KMSRequestsPerSecond, BytesPerSecond float64
}

// Assumptions in place of measurements.
const (
	// AssumedLatency is the time of one request without its content.
	AssumedLatency = 100 * time.Millisecond
	// AssumedCopyRate is the rate at which S3 copies the content of one request, in bytes per
	// second.
	AssumedCopyRate = 100e6
	// AssumedBandwidth is the total rate of a relay, in bytes per second: 1 Gbit/s.
	AssumedBandwidth = 125e6
)

// Requests per second that S3 supports for each prefix (Amazon S3 User Guide, "Best practices
// design patterns: optimizing Amazon S3 performance"). A pass in key order uses one prefix at a
// time.
const (
	prefixWrites = 3500
	prefixReads  = 5500
)

// Estimate is roughly how long a pass takes, and what limits its speed. Its JSON form is a
// contract.
type Estimate struct {
	// Seconds is the time that the pass takes. It follows from the limit Bound; each other limit
	// alone would allow a shorter time.
	Seconds float64 `json:"seconds"`
	// Bound is the limit that determines Seconds: listing, largest_request, concurrency, s3_writes,
	// s3_reads, kms_quota, bandwidth, or the config path of a limit.
	Bound string `json:"bound"`
}

// Time estimates how long it takes to send the requests in a quote.
func (q Quoter) Time(of Quote) Estimate {
	p, sum, latency := q.t.Pace, sumUp(of), AssumedLatency.Seconds()
	content, bandwidth := float64(of.bytes), 0.0
	if q.t.Relay {
		bandwidth = AssumedBandwidth
	}
	listed := float64(of.Requests[listObjects])
	longest := Estimate{Bound: "listing", Seconds: listed * latency}
	for _, bound := range []struct {
		name         string
		amount, rate float64
	}{
		{"largest_request", float64(of.largest), AssumedCopyRate},
		{"concurrency", (sum.all-listed)*latency + content/AssumedCopyRate, float64(p.Concurrency)},
		{"s3_writes", sum.written, prefixWrites},
		{"s3_reads", sum.read, prefixReads},
		{"kms_quota", sum.kms, kmsQuota(q.t.Destination.Region)},
		{"bandwidth", content, bandwidth},
		{"limits.requests_per_second", sum.all, p.RequestsPerSecond},
		{"limits.kms_requests_per_second", sum.kms, p.KMSRequestsPerSecond},
		{"limits.bytes_per_second", content, p.BytesPerSecond},
	} {
		if bound.rate > 0 && bound.amount/bound.rate > longest.Seconds {
			longest = Estimate{Bound: bound.name, Seconds: bound.amount / bound.rate}
		}
	}
	return longest
}

// sums are the request counts of a quote, by the limit that they count toward.
type sums struct{ all, written, read, kms float64 }

func sumUp(of Quote) (s sums) {
	for operation, n := range of.Requests {
		s.all += float64(n)
		switch a := actOf(operation); {
		case a.atSource && a.tier == reads:
			s.read += float64(n)
		case !a.atSource && a.tier == writes:
			s.written += float64(n)
		}
	}
	for _, n := range of.KMSRequests {
		s.kms += n
	}
	return s
}

// kmsQuota returns the default KMS quota of an account for requests with symmetric keys, per second
// and region (AWS KMS Developer Guide, "Request quotas").
func kmsQuota(region string) float64 {
	switch region {
	case "us-east-1", "us-west-2", "eu-west-1":
		return 100_000
	case "us-east-2", "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "eu-central-1", "eu-west-2":
		return 20_000
	default:
		return 10_000
	}
}
