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
	// renewAhead is how long before its end a session is renewed, at most; renewFraction bounds it
	// for short sessions.
	renewAhead    = 10 * time.Minute
	renewFraction = 4
	// renewJitter is the share of that time by which renewals are spread, so that many tasks do not
	// renew at once.
	renewJitter = 0.5
	// retryRenewal is how long a session that could not be renewed is used before the renewal is
	// tried again.
	retryRenewal = 30 * time.Second
	// renewPatience is how long requests wait for a renewal while the credentials that there are
	// still serve.
	renewPatience = 2 * time.Second
	// dropAfter is how long a session is not dropped again after one was: requests that were signed
	// with that one may still be failing, and a service that calls each new session expired is not
	// helped by many.
	dropAfter = 15 * time.Second
)

// grant is credentials as they were given.
type grant struct {
	aws.Credentials
	// length is how long they are good from now on; where they can expire and it is not positive,
	// nothing is known of it.
	length time.Duration
}

// giver gives credentials. It has no memory.
type giver interface {
	// grant gives credentials. Not are those which a service called expired last: to be given them
	// again is of no use.
	grant(ctx context.Context, not aws.Credentials) (grant, error)
	// expired adds to an answer that calls the credentials expired whose they are and what to do.
	expired(answer error) error
	// fixed reports whether the credentials are always the same.
	fixed() bool
}

// session is credentials that are renewed ahead of their end: those of an assumed role, or the
// ambient ones. It is an aws.CredentialsProvider.
type session struct {
	cache  *aws.CredentialsCache
	giver  giver
	now    func() time.Time
	logger *slog.Logger
	// outlives says that what could not be renewed is used beyond its end until a service refuses
	// it: the ends of ambient credentials are told by a clock that may be wrong, and AWS takes
	// those of instances longer while they cannot be renewed.
	outlives bool

	mu      sync.Mutex
	current grant
	end     time.Time // of current, by the clock of this machine
	due     time.Time // of the renewal; zero for credentials without an end
	began   time.Time // when the renewal under way did; zero for none
	refused aws.Credentials
	dropped time.Time
}

func newSession(from giver, now func() time.Time, logger *slog.Logger) *session {
	s := &session{giver: from, now: now, logger: logger}
	s.cache = aws.NewCredentialsCache(renewal{s})
	return s
}

// Retrieve returns the session's credentials, and gets new ones when there are none or their end is
// near. A renewal that takes long goes on while requests are signed with the old ones.
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

// serving returns credentials that are due to be renewed and still serve, and how long to wait for
// their renewal; none where nothing is due or none serve.
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

// until returns when the session ends unless it is renewed; ok is false when there is none.
func (s *session) until() (end time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end, s.current.HasKeys()
}

// expired takes the answer that a request's credentials have expired, and reports whether another
// attempt may fare better, with new ones. Of many requests that are refused at once the first drops
// the old ones.
func (s *session) expired(answer error) (again bool) {
	if s.giver.fixed() {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := signedWith(answer); id != "" && id != s.current.AccessKeyID {
		return true // signed with those before
	}
	s.drop()
	return true
}

// drop forgets the credentials, unless that has just been done. The caller holds s.mu.
func (s *session) drop() {
	now := s.now()
	if since := now.Sub(s.dropped); !s.current.HasKeys() || since >= 0 && since < dropAfter {
		return
	}
	s.refused, s.dropped = s.current.Credentials, now
	s.forget()
}

// unknown takes the answer that a request's credentials are wrong. Keys that are replaced where
// they are read from are so until they are read again, which the next request does.
func (s *session) unknown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outlives && !s.giver.fixed() {
		s.forget()
	}
}

// forget has the next request get credentials. The caller holds s.mu.
func (s *session) forget() {
	s.current, s.end, s.due = grant{}, time.Time{}, time.Time{}
	s.cache.Invalidate()
}

// renewal is what the session's cache asks for credentials.
type renewal struct{ s *session }

// Retrieve gets new credentials. When that fails while the old ones still live, they are used a
// little longer: an STS that is out of reach for a minute is no reason to stop.
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

// keep returns the credentials that there are for a little longer, or why they were not renewed.
// The caller holds s.mu.
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

// ahead returns how long before its end a session of that length is renewed.
func ahead(length time.Duration) time.Duration {
	most := min(renewAhead, length/renewFraction)
	return most - time.Duration(rand.Float64()*renewJitter*float64(most)) //nolint:gosec // spreads load, guards nothing
}

// same reports whether credentials are those that were refused. Those without a token are told
// apart by their end.
func same(a, b aws.Credentials) bool {
	if !b.HasKeys() || a.AccessKeyID != b.AccessKeyID || a.SecretAccessKey != b.SecretAccessKey || a.SessionToken != b.SessionToken {
		return false
	}
	return a.SessionToken != "" || a.Expires.Equal(b.Expires)
}

// explain has a client say whose credentials they are that are called expired, once no attempt is
// left.
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
