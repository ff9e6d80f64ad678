package creds

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// SkewBound is the clock skew above which syncd logs a warning. S3 rejects a request whose signing
// time differs from its clock by more than 15 minutes (RequestTimeTooSkewed). After the first
// rejection, the SDK corrects the signing times of that client.
const SkewBound = 5 * time.Minute

// Clock measures the skew between this machine's clock and the services, from the Date of their
// responses. The zero Clock is ready to use.
type Clock struct {
	measured atomic.Pointer[time.Duration]
	session  atomic.Pointer[time.Duration] // computed from the expiry of the last session; nil if the Date of its response agrees
	warned   atomic.Pointer[time.Time]     // when a skew above SkewBound was last logged
}

// warnEvery is the minimum time between two warnings about the clock, even if services with other
// clocks respond in between.
const warnEvery = time.Hour

// Skew returns how far this machine's clock is ahead of the service that responded last; it is
// negative if the clock is behind. It is accurate to a second or two. ok is false before the first
// response.
func (c *Clock) Skew() (ahead time.Duration, ok bool) {
	for _, measured := range []*atomic.Pointer[time.Duration]{&c.session, &c.measured} {
		if d := measured.Load(); d != nil {
			return *d, true
		}
	}
	return 0, false
}

// Skewed reports whether a skew is larger than [SkewBound].
func Skewed(ahead time.Duration) bool { return ahead.Abs() > SkewBound }

// ClockWarning returns a warning about a skew larger than [SkewBound], or "" if it is smaller.
func ClockWarning(ahead time.Duration) string {
	switch size := ahead.Abs().Round(time.Second); {
	case !Skewed(ahead):
		return ""
	case ahead > 0:
		return "the clock of this machine is " + size.String() + " ahead of AWS"
	default:
		return "the clock of this machine is " + size.String() + " behind AWS"
	}
}

// note records a measurement of the skew.
func (c *Clock) note(ahead time.Duration, logger *slog.Logger) {
	c.measured.Store(&ahead)
	c.warn(logger)
}

// noteSession records the skew computed from the expiry of a session. If the Date of the session's
// response agrees with the expiry, ahead is nil.
func (c *Clock) noteSession(ahead *time.Duration, logger *slog.Logger) {
	c.session.Store(ahead)
	c.warn(logger)
}

// warn logs a warning if the skew is larger than [SkewBound].
func (c *Clock) warn(logger *slog.Logger) {
	ahead, _ := c.Skew()
	if !Skewed(ahead) {
		return
	}
	now, last := time.Now(), c.warned.Load()
	if last != nil && now.Sub(*last) >= 0 && now.Sub(*last) < warnEvery || !c.warned.CompareAndSwap(last, &now) {
		return
	}
	logger.Warn("clock skew detected", "ahead", ahead.Round(time.Second), "bound", SkewBound)
}

// watch returns middleware that measures the skew with every response of a service. It ignores
// responses without a request id, which are not from a service, and responses with an Age, which
// come from a cache.
func (c *Clock) watch(now func() time.Time, logger *slog.Logger) func(*middleware.Stack) error {
	measure := func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		answer, ok := out.RawResponse.(*smithyhttp.Response)
		if !ok || answer.Response == nil || answer.Header.Get("Age") != "" {
			return out, metadata, err
		}
		if answer.Header.Get("X-Amz-Request-Id") == "" && answer.Header.Get("X-Amzn-Requestid") == "" {
			return out, metadata, err
		}
		if date, bad := http.ParseTime(answer.Header.Get("Date")); bad == nil {
			c.note(now().Sub(date), logger)
		}
		return out, metadata, err
	}
	return func(stack *middleware.Stack) error {
		// Measure as soon as the response header arrives, before the body is read: the body of a
		// CopyObject response ends only when the copy is done.
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.clock", measure), middleware.After)
	}
}
