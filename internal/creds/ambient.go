package creds

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"syncd/internal/awserr"
	"syncd/internal/deadline"
)

// ambient gets the ambient credentials. It reads the environment for each retrieval, so that it
// finds keys that were replaced in a file and uses nothing that the SDK has cached.
type ambient struct {
	// load returns the credentials provider and where its credentials come from.
	load  func(context.Context) (aws.CredentialsProvider, source, error)
	clock *Clock
	now   func() time.Time

	mu    sync.Mutex
	known source // source that the last load returned
}

// from returns where the credentials come from.
func (a *ambient) from() source {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.known
}

func (a *ambient) fixed() bool { return a.from().fixed }

// errRefused means that a source returned the same credentials that a service has refused.
var errRefused = errors.New("it returned the same credentials that a service rejected as expired")

// grant gets credentials within the time limit of their source. It retries failures that may be
// temporary.
func (a *ambient) grant(ctx context.Context, not aws.Credentials) (grant, error) {
	began := time.Now()
	for wait := firstBackoff; ; wait = min(3*wait, time.Second) {
		provider, from, err := a.load(ctx)
		if err != nil {
			return grant{}, &awserr.CredentialsError{Err: err, Hint: ambientHint}
		}
		a.mu.Lock()
		a.known = from
		a.mu.Unlock()
		try, all := from.times()
		left := all - time.Since(began)
		got, err := within(ctx, began, min(try, left), provider.Retrieve)
		if err != nil && ctx.Err() != nil {
			return grant{}, err // the caller's context ended
		}
		if err == nil {
			err = checkForm(got)
		}
		if err == nil && same(got, not) {
			err = errRefused
		}
		if err == nil {
			return grant{got, a.length(got)}, nil
		}
		if errors.Is(err, errRefused) {
			all = min(all, localTime) // the source responds, so a local source's limit is enough
		}
		if !from.passes(err) || all-time.Since(began) <= wait || deadline.Sleep(ctx, wait) != nil {
			return grant{}, from.failure(err)
		}
	}
}

// length returns how long the credentials remain valid, or 0 if they do not expire. Their expiry is
// a time on AWS's clock. Until the skew is known, this machine's clock is assumed to agree with it.
func (a *ambient) length(got aws.Credentials) time.Duration {
	if !got.CanExpire {
		return 0
	}
	skew, _ := a.clock.Skew()
	return got.Expires.Sub(a.now().Add(-skew))
}

// expired adds the source of the credentials and a hint to a response that rejects them as expired.
func (a *ambient) expired(answer error) error {
	from := a.from()
	hint := from.hint
	if !from.fixed {
		hint = "the source returned new credentials, which the service also rejects as expired; " + hint
	}
	return &awserr.ExpiredError{Source: from.name, Hint: hint, Err: answer}
}

// passes reports whether a failure may end by itself within seconds.
func (s source) passes(err error) bool {
	serves := s.kind == fromSTS || s.kind == fromContainer || s.kind == fromInstance || s.kind == fromProgram && !s.fixed
	status := statusOf(err)
	switch {
	case errors.Is(err, errRefused): // a program may print cached credentials for some seconds after their expiry
		return serves || s.kind == fromProcess || s.kind == fromLogin
	case !serves:
		return false
	case status != 0:
		return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests
	default: // if instance metadata does not respond, this is usually not an EC2 instance
		return s.kind != fromInstance && !lasts(err) && (errors.Is(err, errSlow) || awserr.Classify(err) == awserr.Transient)
	}
}

// lasts reports whether a connection error is permanent: the host does not exist, or its
// certificate is invalid.
func lasts(err error) bool {
	if unknown, ok := errors.AsType[*net.DNSError](err); ok {
		return unknown.IsNotFound
	}
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}

// statusOf returns the HTTP status of an error's response, or 0 if there was none.
func statusOf(err error) int {
	if answer, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); ok {
		return answer.HTTPStatusCode()
	}
	return 0
}

// maxSaid limits how many bytes an error shows of a response that may not come from AWS.
const maxSaid = 200

// failure returns an error that names the source, why it gave no credentials, and what to do.
func (s source) failure(err error) error {
	failed := &awserr.CredentialsError{Source: s.name, Err: err, Hint: s.hint}
	if _, ok := errors.AsType[*malformedError](err); ok {
		failed.Hint = malformedHint
	}
	if endpoint, ok := errors.AsType[*awserr.EndpointError](err); ok {
		failed.Hint = endpoint.Hint
	}
	api, answered := errors.AsType[smithy.APIError](err)
	if answered && api.ErrorCode() == "" { // sent by a container endpoint or a proxy in front of it
		said := strings.Join(strings.Fields(api.ErrorMessage()), " ")
		failed.Err = fmt.Errorf("it answered %d: %.*s", statusOf(err), maxSaid, said)
	}
	if s.kind == fromProcess && strings.Contains(err.Error(), "process output") {
		failed.Err = errors.New("its output is not JSON with credentials") // the SDK's error contains the output, which may contain secrets
	}
	return failed
}
