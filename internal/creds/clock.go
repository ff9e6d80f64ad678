package creds

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// SkewBound is how far the clock of this machine may be from that of the services before that is warned of. S3 refuses what is signed
// more than 15 minutes off (RequestTimeTooSkewed); the SDK corrects that for each client after its first refusal.
const SkewBound = 5 * time.Minute

// Clock compares the clock of this machine with that of the services, by the Date of their answers. The zero Clock is ready to use.
type Clock struct {
	measured atomic.Pointer[time.Duration]
	session  atomic.Pointer[time.Duration] // as the end of the last session shows it, where that contradicts the Date of its answer
	beyond   atomic.Bool                   // SkewBound, which is said once
}

// Skew returns how far the clock of this machine is ahead of that of the service that answered last, negative when it is behind. It is
// exact to a second or two. ok is false before the first answer.
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
	c.judge(logger)
}

// noteSession takes what the end of a session shows, nil where that agrees with the Date of its answer.
func (c *Clock) noteSession(ahead *time.Duration, logger *slog.Logger) {
	c.session.Store(ahead)
	c.judge(logger)
}

// judge says so when the clock leaves its bound or returns to it.
func (c *Clock) judge(logger *slog.Logger) {
	ahead, ok := c.Skew()
	if !ok {
		return
	}
	beyond := Skewed(ahead)
	if c.beyond.Swap(beyond) == beyond {
		return
	}
	if beyond {
		logger.Warn("clock differs from the services'", "ahead", ahead.Round(time.Second), "bound", SkewBound)
		return
	}
	logger.Info("clock agrees with the services' again", "ahead", ahead.Round(time.Second))
}

// watch returns middleware that measures with every answer of a service. What has no id of a request is not a service's, and what has
// an Age comes from a cache.
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
		if date, ok := awsmiddleware.GetServerTime(metadata); ok {
			c.note(now().Sub(date), logger)
		}
		return out, metadata, err
	}
	return func(stack *middleware.Stack) error {
		return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("syncd.clock", measure), middleware.Before)
	}
}
