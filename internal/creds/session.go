package creds

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"

	"syncd/internal/awserr"
)

const (
	// A session is renewed at most renewAhead before its expiry. For a short session, the limit is
	// its length divided by renewFraction.
	renewAhead    = 10 * time.Minute
	renewFraction = 4
	// renewJitter is the fraction over which renewals are spread, so that many tasks do not renew
	// at once. It is a fraction of the time that renewAhead and renewFraction allow.
	renewJitter = 0.5
	// retryRenewal is how long a session is used after a failed renewal before the next attempt.
	retryRenewal = 30 * time.Second
	// renewPatience is how long requests wait for a renewal while the old credentials still work.
	renewPatience = 2 * time.Second
	// dropAfter is the minimum time between dropping two sessions. Requests signed with the first
	// session may still be failing. And if a service rejects every new session as expired, more
	// sessions do not help.
	dropAfter = 15 * time.Second
)

// grant is credentials as they were issued.
type grant struct {
	aws.Credentials
	// length is how long the credentials remain valid. If the credentials can expire and length is
	// not positive, the remaining time is unknown.
	length time.Duration
}

// giver issues credentials. It keeps no state.
type giver interface {
	// grant gets credentials other than not, the credentials that a service last rejected as
	// expired.
	grant(ctx context.Context, not aws.Credentials) (grant, error)
	// expired adds the source of the credentials and a hint to a response that rejects them as
	// expired.
	expired(answer error) error
	// fixed reports whether the credentials are always the same.
	fixed() bool
}

// session contains credentials that are renewed before they expire: the credentials of an assumed
// role, or the ambient credentials. It is an aws.CredentialsProvider.
type session struct {
	cache  *aws.CredentialsCache
	giver  giver
	now    func() time.Time
	logger *slog.Logger
	// outlives means that credentials that could not be renewed are used after their expiry until a
	// service rejects them: the expiry of ambient credentials depends on a clock that may be wrong,
	// and AWS accepts the credentials of an EC2 instance after their expiry if it could not issue
	// new ones.
	outlives bool

	mu      sync.Mutex
	current grant
	end     time.Time // expiry of current, by this machine's clock
	due     time.Time // when to renew; zero for credentials that do not expire
	began   time.Time // start of the renewal in progress; zero if there is none
	refused aws.Credentials
	dropped time.Time
}

func newSession(from giver, now func() time.Time, logger *slog.Logger) *session {
	s := &session{giver: from, now: now, logger: logger}
	s.cache = aws.NewCredentialsCache(renewal{s})
	return s
}

// Retrieve returns the session's credentials. It gets new ones if there are none or they are about
// to expire. While a slow renewal continues, requests are signed with the old credentials.
func (s *session) Retrieve(ctx context.Context) (aws.Credentials, error) {
	serving, patience := s.serving()
	switch {
	case !serving.HasKeys():
		return s.cache.Retrieve(ctx)
	case patience <= 0:
		return serving, nil
	}
	patient, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	renewed, err := s.cache.Retrieve(patient)
	if err != nil && patient.Err() != nil && ctx.Err() == nil {
		return serving, nil
	}
	return renewed, err
}

// serving returns credentials that still work but are due for renewal, and how long to wait for the
// renewal. It returns none if no renewal is due or the credentials have expired.
func (s *session) serving() (serving aws.Credentials, patience time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if s.due.IsZero() || now.Before(s.due) || !s.outlives && !now.Before(s.end) {
		return aws.Credentials{}, 0
	}
	if s.began.IsZero() {
		return s.current.Credentials, renewPatience
	}
	return s.current.Credentials, renewPatience - now.Sub(s.began)
}

// until returns when the session expires unless it is renewed; ok is false if the session has no
// credentials.
func (s *session) until() (end time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end, s.current.HasKeys()
}

// expired handles a response that a request's credentials have expired. It reports whether to retry
// with new credentials. If many requests are refused at once, the first one drops the old
// credentials.
func (s *session) expired(answer error) (again bool) {
	if s.giver.fixed() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := signedWith(answer); id != "" && id != s.current.AccessKeyID {
		return true // signed with earlier credentials
	}
	s.drop()
	return true
}

// drop forgets the credentials, unless credentials were dropped very recently. The caller holds
// s.mu.
func (s *session) drop() {
	now := s.now()
	if since := now.Sub(s.dropped); !s.current.HasKeys() || since >= 0 && since < dropAfter {
		return
	}
	s.refused, s.dropped = s.current.Credentials, now
	s.forget()
}

// unknown handles a response that a request's credentials are invalid. Keys that were replaced at
// their source are invalid until they are read again, which the next request does.
func (s *session) unknown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outlives && !s.giver.fixed() {
		s.forget()
	}
}

// forget makes the next request get new credentials. The caller holds s.mu.
func (s *session) forget() {
	s.current, s.end, s.due = grant{}, time.Time{}, time.Time{}
	s.cache.Invalidate()
}

// renewal is the provider that the session's cache wraps.
type renewal struct{ s *session }

// Retrieve gets new credentials. If that fails while the old credentials are still valid, they are
// used a little longer, so that a short outage of STS does not stop a pass.
func (r renewal) Retrieve(ctx context.Context) (aws.Credentials, error) {
	s := r.s
	s.mu.Lock()
	refused := s.refused
	s.began = s.now()
	s.mu.Unlock()
	fresh, err := s.giver.grant(ctx, refused)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began = time.Time{}
	if err != nil {
		return s.keep(err)
	}
	now := s.now()
	s.current, s.end, s.due = fresh, time.Time{}, time.Time{}
	if !fresh.CanExpire {
		return fresh.Credentials, nil
	}
	s.end = now.Add(fresh.length)
	good := fresh.Credentials
	good.Expires = now.Add(retryRenewal)
	if fresh.length > 0 {
		good.Expires = s.end.Add(-ahead(fresh.length))
	}
	s.due = good.Expires
	return good, nil
}

// keep returns the old credentials for a little longer, or failure if they have expired. The caller
// holds s.mu.
func (s *session) keep(failure error) (aws.Credentials, error) {
	now := s.now()
	if !s.current.HasKeys() || !s.outlives && !now.Before(s.end) {
		return aws.Credentials{}, failure
	}
	s.logger.Warn("credentials were not renewed", "err", awserr.Brief(failure), "end", s.end.UTC())
	good := s.current.Credentials
	good.CanExpire, good.Expires = true, now.Add(retryRenewal)
	if !s.outlives && s.end.Before(good.Expires) {
		good.Expires = s.end
	}
	s.due = good.Expires
	return good, nil
}

// ahead returns how long before its expiry a session of that length is renewed.
func ahead(length time.Duration) time.Duration {
	most := min(renewAhead, length/renewFraction)
	return most - time.Duration(rand.Float64()*renewJitter*float64(most)) //nolint:gosec // for spreading load, not for security
}

// same reports whether two credentials are equal. Credentials without a token are distinguished by
// their expiry.
func same(a, b aws.Credentials) bool {
	if !b.HasKeys() || a.AccessKeyID != b.AccessKeyID || a.SecretAccessKey != b.SecretAccessKey || a.SessionToken != b.SessionToken {
		return false
	}
	return a.SessionToken != "" || a.Expires.Equal(b.Expires)
}

// explain adds the source of the credentials to the final error of a request that was rejected as
// expired.
func (s *session) explain(stack *middleware.Stack) error {
	explained := func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		if awserr.Classify(err) == awserr.Expired {
			err = s.giver.expired(err)
		}
		return out, metadata, err
	}
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("syncd.expired", explained), middleware.Before)
}
