package assembly

import (
	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/awserr"
	"syncd/internal/plan"
	"syncd/internal/throttle"
)

// observe returns a func that counts the requests of a mapping and their cost. Each request also
// counts as activity for the watchdog.
func (b builder) observe(prices plan.Quoter) func(throttle.Attempt) {
	mapping := b.mapping.Name
	figure := b.Board.Of(mapping)
	cost := b.Metrics.Cost.WithLabelValues(mapping)
	requests := b.Metrics.Requests.MustCurryWith(prometheus.Labels{"mapping": mapping})
	durations := b.Metrics.RequestDuration.MustCurryWith(prometheus.Labels{"mapping": mapping})
	for _, operation := range deniable() {
		requests.WithLabelValues(operation, string(awserr.Denied))
	}
	return func(a throttle.Attempt) {
		requests.WithLabelValues(a.Operation, string(a.Class)).Inc()
		figure.Beat()
		durations.WithLabelValues(a.Operation).Observe(a.Duration.Seconds())
		if charged(a.Class) {
			cost.Add(prices.Request(a.Operation))
		}
	}
}

// deniable returns the operations whose denial counters are created at start, with value 0.
// Otherwise the series would appear with the first denial, and increase() would not count that
// denial. An alert would then come minutes late, because a denied mapping waits that long before
// its next request.
func deniable() []string {
	return []string{
		"AssumeRole", "ListObjectsV2", "HeadObject", "GetObject", "GetObjectTagging", "CopyObject", "PutObject", "PutObjectTagging",
		"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload",
		"ListObjectAnnotations", "GetObjectAnnotation", "PutObjectAnnotation",
	}
}

// charged reports whether AWS charges for a request that ended with an error of class. AWS charges
// for successful requests and for client errors, but not for server errors (Amazon S3 User Guide,
// "Billing for Amazon S3 error responses").
func charged(class awserr.Class) bool {
	return !class.Passes() && class != awserr.Canceled
}
