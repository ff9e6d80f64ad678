// Package throttle observes every request that an SDK client sends, and delays it if the service,
// KMS or the configuration requires it.
//
// It promises that a [Meter] attached to a client sees each attempt once, including retries, with
// its operation, class and duration, so that a summary's figures match the service's own bill and
// quotas. A [Guard] attached to it paces every attempt: no faster than the caps, and just below
// what a service allows once it has throttled. Throttling by KMS slows only requests that may need
// KMS. Waiting callers are served in order of arrival, and a wait ends at once, without side
// effects, when its context does.
//
// Other parts interpret the figures (the syncer sums and exports them), retry after a refusal (the
// SDK's retryer; every attempt is paced), hold a slot for each request in flight (the copier), and
// queue waiting requests (package fair).
//
// The words: an operation is the API name of a request, such as CopyObject; an attempt is one
// request on the wire; a level is the number of requests in flight, and a rate is the number sent
// per second. They are controlled separately: throttling changes rates, broken connections and slow
// answers change the level. A cap is a configured rate.
package throttle
