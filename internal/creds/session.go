package creds

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const (
	// renewAhead is how long before its end a session is renewed, at most; renewFraction bounds it for short sessions.
	renewAhead    = 10 * time.Minute
	renewFraction = 4
	// renewJitter is the share of that time by which renewals are spread, so that many tasks do not renew at once.
	renewJitter = 0.5
	// retryRenewal is how long a session that could not be renewed is used before the renewal is tried again.
	retryRenewal = 30 * time.Second
	// dropAfter is how old a session must be to be dropped when a service calls it expired: requests that were signed
	// with the one before it may still be failing.
	dropAfter = 15 * time.Second
)

// session is the credentials of an assumed role, renewed ahead of their end. It is an aws.CredentialsProvider.
type session struct {
	cache  *aws.CredentialsCache
	assume aws.CredentialsProvider
	now    func() time.Time

	mu      sync.Mutex
	current aws.Credentials // as STS gave them, with their true end
	since   time.Time
}

func newSession(assume aws.CredentialsProvider, now func() time.Time) *session {
	s := &session{assume: assume, now: now}
	s.cache = aws.NewCredentialsCache(renewal{s})
	return s
}

// Retrieve returns the session's credentials, assuming the role when there are none or their end is near.
func (s *session) Retrieve(ctx context.Context) (aws.Credentials, error) {
	return s.cache.Retrieve(ctx)
}

// end returns when the session ends unless it is renewed; ok is false when there is none.
func (s *session) end() (end time.Time, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Expires, s.current.HasKeys()
}

// drop forgets the session, so that the next request assumes the role anew, unless it was only just assumed: then the
// request was signed with the one before.
func (s *session) drop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Sub(s.since) >= dropAfter {
		s.current = aws.Credentials{}
		s.cache.Invalidate()
	}
}

// renewal is what the session's cache asks for credentials.
type renewal struct{ s *session }

// Retrieve assumes the role. When that fails while the session still lives, the session is used a little longer: an STS
// that is out of reach for a minute is no reason to stop.
func (r renewal) Retrieve(ctx context.Context) (aws.Credentials, error) {
	fresh, err := r.s.assume.Retrieve(ctx)
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	now := r.s.now()
	if err != nil {
		living := r.s.current
		if !living.HasKeys() || !now.Before(living.Expires) {
			return aws.Credentials{}, err
		}
		if again := now.Add(retryRenewal); again.Before(living.Expires) {
			living.Expires = again
		}
		return living, nil
	}
	r.s.current, r.s.since = fresh, now
	fresh.Expires = fresh.Expires.Add(-ahead(fresh.Expires.Sub(now)))
	return fresh, nil
}

// ahead returns how long before its end a session of that length is renewed.
func ahead(length time.Duration) time.Duration {
	most := min(renewAhead, length/renewFraction)
	return most - time.Duration(rand.Float64()*renewJitter*float64(most)) //nolint:gosec // spreads load, guards nothing
}
