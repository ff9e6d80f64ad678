// Package throttle watches every request that an SDK client sends, and holds it back where the
// service, KMS or the configuration asks for it.
//
// It promises that a [Meter] hung on a client sees each attempt once, retries included, with its
// operation, its class and its duration, so that the figures of a summary are those of the
// service's own bill and quotas; that a [Guard] hung on it lets no attempt pass faster than the
// caps, and settles just below what a service allows after it first throttled; that throttling by
// KMS slows only requests that may need KMS; that everyone who waits does so in the order of
// arrival, and leaves at once and without a trace when its context ends.
//
// It leaves to others what the figures mean (the syncer sums and exports them), to try again after
// a refusal (the SDK's retryer, whose every attempt is paced anew), to hold a slot for each request
// under way (the copier), and how requests wait in a line (package fair).
//
// The words: an operation is the API's name of a request, such as CopyObject; an attempt is one
// request on the wire; a level is how many are under way at once, a rate how many are sent per
// second, and the two are found apart: throttling moves rates, broken connections and slow answers
// move the level. A cap is a rate that was configured.
package throttle
