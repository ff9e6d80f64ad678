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

// SkewBound is how far the clock of this machine may be from that of the services before that is
// warned of. S3 refuses what is signed more than 15 minutes off (RequestTimeTooSkewed); the SDK
// corrects that for each client after its first refusal.
const SkewBound = 5 * time.Minute

// Clock compares the clock of this machine with that of the services, by the Date of their answers.
// The zero Clock is ready to use.
type Clock struct {
	measured atomic.Pointer[time.Duration]
	session  atomic.Pointer[time.Duration] // as the end of the last session shows it, where that contradicts the Date of its answer
	warned   atomic.Pointer[time.Time]     // when a skew beyond SkewBound was said last
}

// warnEvery is how often a wrong clock is warned of at most, whatever services with other clocks
// answer in between.
const warnEvery = time.Hour

// Skew returns how far the clock of this machine is ahead of that of the service that answered
// last, negative when it is behind. It is exact to a second or two. ok is false before the first
// answer.
func (c *Clock) Skew() (ahead time.Duration, ok bool) {
	for _, measured := range []*atomic.Pointer[time.Duration]{&c.session, &c.measured} {
		if d := measured.Load(); d != nil {
			return *d, true
		}
	}
	return 0, false
}

// Skewed reports whether a skew is beyond [SkewBound].
func Skewed(ahead time.Duration) bool { return ahead.Abs() > SkewBound }

// ClockWarning says of a skew beyond [SkewBound] how large it is, "" of a smaller one.
func ClockWarning(ahead time.Duration) string {
	switch size := ahead.Abs().Round(time.Second); {
	case !Skewed(ahead):
		return ""
	case ahead > 0:
		return "the clock of this machine is " + size.String() + " ahead of that of AWS"
	default:
		return "the clock of this machine is " + size.String() + " behind that of AWS"
	}
}

// note takes a measurement.
func (c *Clock) note(ahead time.Duration, logger *slog.Logger) {
	c.measured.Store(&ahead)
	c.warn(logger)
}

// noteSession takes what the end of a session shows, nil where that agrees with the Date of its
// answer.
func (c *Clock) noteSession(ahead *time.Duration, logger *slog.Logger) {
	c.session.Store(ahead)
	c.warn(logger)
}

// warn says so when the clock is beyond its bound.
func (c *Clock) warn(logger *slog.Logger) {
	ahead, _ := c.Skew()
	if !Skewed(ahead) {
		return
	}
	now, last := time.Now(), c.warned.Load()
	if last != nil && now.Sub(*last) >= 0 && now.Sub(*last) < warnEvery || !c.warned.CompareAndSwap(last, &now) {
		return
	}
	logger.Warn("clock differs from the services'", "ahead", ahead.Round(time.Second), "bound", SkewBound)
}

// watch returns middleware that measures with every answer of a service. What has no id of a
// request is not a service's, and what has an Age comes from a cache.
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
		// Right at the transport, before the body is read: that of a copy ends when the copy is
		// made.
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.clock", measure), middleware.After)
	}
}
