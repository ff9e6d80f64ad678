package assembly

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/awserr"
	"syncd/internal/deadline"
)

const (
	// stsRate limits how many sessions per second are requested before passes. STS allows 600 calls
	// per second for an account in a region (IAM User Guide, "IAM and AWS STS quotas"), and other
	// programs in the account share that quota.
	stsRate = 40
	// sessionsTimeout limits how long it may take to get all sessions of a mapping, including those
	// of chained roles.
	sessionsTimeout = 2 * time.Minute
	// sessionMargin is the remaining lifetime below which sessions are requested again.
	sessionMargin = time.Minute
)

// sessions are the sessions that the passes of a mapping need.
type sessions struct {
	sides map[string]aws.CredentialsProvider
	calls int // number of STS calls for the sessions
	pace  *spacing
	now   func() time.Time
	good  time.Time // the sessions are not requested again before this time
}

// get requests sessions for both sides, unless both already have sessions that are valid for at
// least sessionMargin.
func (s *sessions) get(ctx context.Context) error {
	if s.now().Before(s.good) {
		return nil
	}
	if err := s.pace.wait(ctx, s.calls); err != nil {
		return err
	}
	var good time.Time
	err := deadline.Do(ctx, sessionsTimeout, func(ctx context.Context) error {
		for _, side := range []string{"source", "destination"} {
			c, err := s.sides[side].Retrieve(ctx)
			if err != nil {
				return fmt.Errorf("get credentials of the %s: %w", side, awserr.Plain(err))
			}
			if end := c.Expires.Add(-sessionMargin); c.CanExpire && (good.IsZero() || end.Before(good)) {
				good = end
			}
		}
		return nil
	})
	if late, ok := err.(*awserr.TimeoutError); ok { //nolint:errorlint // Do's own
		err = &awserr.CredentialsError{Err: late}
	}
	if err == nil {
		s.good = good
	}
	return err
}

// spacing limits the rate of calls to perSecond. Waiting callers proceed in the order in which they
// arrive.
type spacing struct {
	perSecond int
	mu        sync.Mutex
	next      time.Time
}

// wait waits until n calls may be made. If ctx ends first, the rate limit still counts the n calls.
func (s *spacing) wait(ctx context.Context, n int) error {
	s.mu.Lock()
	now := time.Now()
	at := s.next
	if at.Before(now) {
		at = now
	}
	s.next = at.Add(time.Duration(n) * time.Second / time.Duration(s.perSecond))
	s.mu.Unlock()
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
