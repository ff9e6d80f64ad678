// Package throttle observes every request that an SDK client sends, and delays it if the service,
// KMS or the configuration requires it.
//
// It guarantees that a [Meter] attached to a client sees each attempt once, including retries, with
// its operation, class and duration. The figures of a summary therefore match the service's bill
// and quotas. A [Guard] attached to a client paces every attempt: never faster than the caps and,
// after the service has throttled, slightly below the rate that the service allows. Throttling by
// KMS slows only requests for which S3 can call KMS. Waiting callers are served in order of
// arrival. A wait ends at once, without side effects, when its context ends.
//
// Other packages interpret the figures (the syncer sums and exports them), retry refused requests
// (the SDK's retryer; every attempt is paced), hold a slot for each request in flight (the copier),
// and queue waiting requests (package fair).
//
// Terms: an operation is the API name of a request, such as CopyObject. An attempt is one request
// as sent to the service; a call with retries consists of several attempts. A level is the number
// of requests in flight, and a rate is the number of requests sent per second. Level and rate are
// controlled separately: throttling changes rates; broken connections and slow answers change the
// level. A cap is a configured rate.
package throttle
