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
	// maxAttempts bounds the attempts of one request; the next pass is the retry of an object.
	maxAttempts = 8
	// The wait between two of them is a random part of firstBackoff, then of three times as much
	// each time, up to maxBackoff. It is short at first, because every attempt waits for the rates
	// that throttle has found: a refusal that is no matter of rates has passed by then.
	firstBackoff, maxBackoff = 100 * time.Millisecond, 10 * time.Second
	// misdatedBy is how far the time in a signature is from the service's where a refusal is for
	// that: AWS allows 15 minutes.
	misdatedBy = 14 * time.Minute
)

// standardRetryer is the SDK's standard mode without its token bucket, which a long outage would
// leave empty for every bucket behind the same client.
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

// renewingRetryer also retries a request whose credentials the service calls expired, after
// dropping these.
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

// signedRetryer retries by the class of an error where the SDK judges otherwise. The lack of
// credentials is not retried: whoever provides these has tried already. Nor is an endpoint that
// cannot be reached, or that something else answers for, once it had its grace. Nor is what an
// answer of 200 says for good in its body, which the SDK takes for a fault of the server. KMS
// asking to slow down through S3 is, in each of its forms; and so is an answer that broke off,
// which the SDK takes for one that it does not understand; and a refusal for the time of the
// signature, which the SDK corrects for the next attempt.
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
	switch class { //nolint:exhaustive // the SDK judges the others
	case awserr.Credentials, awserr.Denied, awserr.Precondition, awserr.Gone, awserr.Archived:
		return false
	default:
		return class.Passes() || r.Retryer.IsErrorRetryable(err)
	}
}

// graceDelay is how long after an answer that may pass in a few seconds a request is sent again.
const graceDelay = time.Second

// RetryDelay returns how long to wait before another attempt.
func (r signedRetryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	if awserr.InGrace(err) {
		return graceDelay, nil
	}
	return r.Retryer.RetryDelay(attempt, err)
}

// misdated reports whether a request was refused that was signed at a time which is not the
// service's. The code does not tell: STS calls it a wrong signature, and an answer to HEAD has
// none.
func misdated(err error) bool {
	sent, answered, status := headers(err)
	if status != http.StatusForbidden && status != http.StatusBadRequest {
		return false
	}
	signed, errSigned := time.Parse("20060102T150405Z", sent.Get("X-Amz-Date"))
	date, errDate := http.ParseTime(answered.Get("Date"))
	return errSigned == nil && errDate == nil && date.Sub(signed).Abs() > misdatedBy
}

// headers returns those of a refused request and of its answer, with its status; 0 where they are
// not known.
func headers(err error) (sent, answered http.Header, status int) {
	refused, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || refused.Response == nil || refused.Response.Response == nil || refused.Response.Request == nil {
		return nil, nil, 0
	}
	return refused.Response.Request.Header, refused.Response.Header, refused.Response.StatusCode
}

var credentialOf = regexp.MustCompile(`Credential=([^/]+)/`)

// signedWith returns the id of the access key that a refused request was signed with, "" where it
// is not known.
func signedWith(err error) string {
	sent, _, _ := headers(err)
	if m := credentialOf.FindStringSubmatch(sent.Get("Authorization")); m != nil {
		return m[1]
	}
	return ""
}
