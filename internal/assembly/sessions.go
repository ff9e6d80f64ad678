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
	// stsRate is how many sessions are asked for in a second before passes: STS takes 600 calls a
	// second from an account in a region (IAM User Guide, "IAM and AWS STS quotas"), of which
	// others want theirs.
	stsRate = 40
	// sessionsTimeout bounds how long the sessions of a mapping may take, hops included.
	sessionsTimeout = 2 * time.Minute
	// sessionMargin is how long sessions must last at least not to be asked for again.
	sessionMargin = time.Minute
)

// sessions are those of a mapping's roles, as far as its passes need them.
type sessions struct {
	sides map[string]aws.CredentialsProvider
	calls int // of STS that they take
	pace  *spacing
	now   func() time.Time
	good  time.Time // until when none is asked for again
}

// get has both sides have a session.
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

// spacing lets so many through in a second, in the order they came.
type spacing struct {
	perSecond int
	mu        sync.Mutex
	next      time.Time
}

// wait waits until n may go. What a caller that gives up would have taken is lost.
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
