package assembly

import (
	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/awserr"
	"syncd/internal/plan"
	"syncd/internal/throttle"
)

// observe counts the requests of a mapping, with what each costs. Each is a sign of life.
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

// deniable are the operations whose denials count from 0: a series that appears with its first
// event hides that from increase(), and a mapping that is denied once asks again only after
// minutes.
func deniable() []string {
	return []string{
		"AssumeRole", "ListObjectsV2", "HeadObject", "GetObject", "GetObjectTagging", "CopyObject", "PutObject", "PutObjectTagging",
		"CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload",
		"ListObjectAnnotations", "GetObjectAnnotation", "PutObjectAnnotation",
	}
}

// charged reports whether AWS charges for requests that end so: it does for success and for faults
// of the caller, and not for its own (Amazon S3 User Guide, "Billing for Amazon S3 error
// responses").
func charged(class awserr.Class) bool {
	return !class.Passes() && class != awserr.Canceled
}
