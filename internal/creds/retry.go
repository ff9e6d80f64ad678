package creds

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/awserr"
)

const (
	// maxAttempts limits the attempts of one request; the next pass retries the object.
	maxAttempts = 8
	// The wait between two attempts is a random time below a limit. The limit is firstBackoff at
	// first, triples with each attempt, and never exceeds maxBackoff. The first wait is short,
	// because every attempt also waits until package throttle admits it. A failure that is not
	// caused by the request rate has usually passed by then.
	firstBackoff, maxBackoff = 100 * time.Millisecond, 10 * time.Second
	// If the signing time differs from the service's clock by more than misdatedBy, this difference
	// is taken as the cause of a refusal. AWS allows 15 minutes.
	misdatedBy = 14 * time.Minute
)

// standardRetryer returns the SDK's standard retryer without its token bucket, which a long outage
// would empty for every S3 bucket that uses the client.
func standardRetryer() aws.Retryer {
	return signedRetryer{retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.Backoff = maxAttempts, retry.BackoffDelayerFunc(backoff)
		o.RateLimiter = ratelimit.None
	})}
}

func backoff(attempt int, _ error) (time.Duration, error) {
	longest := firstBackoff
	for ; attempt > 1 && longest < maxBackoff; attempt-- {
		longest *= 3
	}
	return rand.N(min(longest, maxBackoff)), nil
}

// renewingRetryer also retries a request whose credentials the service rejects as expired, after
// dropping those credentials.
type renewingRetryer struct {
	aws.Retryer
	session *session
}

// IsErrorRetryable reports whether the request is worth another attempt.
func (r *renewingRetryer) IsErrorRetryable(err error) bool {
	again := r.Retryer.IsErrorRetryable(err)
	switch class := awserr.Classify(err); {
	case class == awserr.Expired:
		return r.session.expired(err)
	case class == awserr.Credentials && !again && awserr.Answered(err):
		r.session.unknown()
	}
	return again
}

// signedRetryer overrides the SDK's decision for some errors. It does not retry:
//
//   - missing credentials, because their source has already retried;
//   - an endpoint that is unreachable, or where something other than the service responds, after a
//     grace period;
//   - a permanent error in the body of a 200 response, which the SDK treats as a server error.
//
// It does retry:
//
//   - throttling by KMS through S3, in all its forms;
//   - a truncated response, which the SDK treats as a response that it cannot parse;
//   - a refusal because of the signing time, which the SDK corrects for the next attempt.
type signedRetryer struct{ aws.Retryer }

// IsErrorRetryable reports whether the request is worth another attempt.
func (r signedRetryer) IsErrorRetryable(err error) bool {
	if misdated(err) {
		return true
	}
	if answer, ok := errors.AsType[*awserr.ForeignError](err); ok && answer.Lasting {
		return false
	}
	class := awserr.Classify(err)
	switch class { //nolint:exhaustive // the SDK decides about the others
	case awserr.Credentials, awserr.Denied, awserr.Precondition, awserr.Gone, awserr.Archived:
		return false
	default:
		return class.Passes() || r.Retryer.IsErrorRetryable(err)
	}
}

// graceDelay is the wait before a retry if the failure may end by itself in a few seconds.
const graceDelay = time.Second

// RetryDelay returns how long to wait before another attempt.
func (r signedRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	if awserr.InGrace(err) {
		return graceDelay, nil
	}
	return r.Retryer.RetryDelay(attempt, err)
}

// misdated reports whether a request was refused because its signing time differs from the
// service's clock. The error code is not enough: STS reports a wrong signature, and the response to
// HEAD has no code.
func misdated(err error) bool {
	sent, answered, status := headers(err)
	if status != http.StatusForbidden && status != http.StatusBadRequest {
		return false
	}
	signed, errSigned := time.Parse("20060102T150405Z", sent.Get("X-Amz-Date"))
	date, errDate := http.ParseTime(answered.Get("Date"))
	return errSigned == nil && errDate == nil && date.Sub(signed).Abs() > misdatedBy
}

// headers returns the headers of a refused request and of its response, with the status; the status
// is 0 if they are not known.
func headers(err error) (sent, answered http.Header, status int) {
	refused, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || refused.Response == nil || refused.Response.Response == nil || refused.Response.Request == nil {
		return nil, nil, 0
	}
	return refused.Response.Request.Header, refused.Response.Header, refused.Response.StatusCode
}

var credentialOf = regexp.MustCompile(`Credential=([^/]+)/`)

// signedWith returns the access key id that a refused request was signed with, or "" if it is not
// known.
func signedWith(err error) string {
	sent, _, _ := headers(err)
	if m := credentialOf.FindStringSubmatch(sent.Get("Authorization")); m != nil {
		return m[1]
	}
	return ""
}
