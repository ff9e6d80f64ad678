package daemon

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/control"
	"syncd/internal/daemon/appointment"
	"syncd/internal/daemon/line"
	"syncd/internal/daemon/web"
	"syncd/internal/figure"
	"syncd/internal/metrics"
	"syncd/internal/transfer"
)

// Mapping is one mapping and its schedule.
type Mapping struct {
	// Name is the mapping's name.
	Name string
	// Source is where objects are copied from, Destination where they are copied to, and Method how
	// they are copied. The daemon only displays these values.
	Source, Destination transfer.Place
	Method              transfer.Method
	// Schedule determines when passes are due. It is nil for a mapping whose passes run only on
	// request.
	Schedule appointment.Schedule
	// Jitter is the upper bound of the random delay of each pass.
	Jitter time.Duration
	// Verify determines when verifications of the destination are due. Each runs after the next pass
	// that did not fail. It is nil for a mapping that is not verified.
	Verify appointment.Schedule
	// AtOnce makes the first pass due when the mapping starts, not at its first tick. If many
	// mappings start together, their first passes are spread over a short time
	// (appointment.StartDelay), but none is due later than its first tick.
	AtOnce bool
	// Revision identifies the configuration of the mapping. If the configuration changes, so does
	// the revision.
	Revision int
	// Open returns the Runner of the passes under this configuration. It is called before the first
	// pass, once the keeper of an earlier configuration has ended. If it fails, it is called again
	// at the next tick.
	Open func(ctx context.Context) (Runner, error)
}

// Options are the settings of a daemon. All fields are required unless they say otherwise.
type Options struct {
	// Mappings are the mappings to run.
	Mappings []Mapping
	// Watch calls apply with all mappings each time they have changed, and returns when ctx ends.
	// It is nil if the mappings never change.
	Watch func(ctx context.Context, apply func([]Mapping))
	// Listener is served by the HTTP server until the last pass has drained.
	Listener net.Listener
	// Gatherer has the metrics to serve.
	Gatherer prometheus.Gatherer
	// Line limits how many passes run at the same time. If it is nil, there is no limit.
	Line *line.Line
	// CheckState returns an error if the state cannot be reached. It is called regularly. If it is
	// nil, the state is not checked.
	CheckState func(ctx context.Context) error
	// Control reads and answers the requests in the state. If it is set, its reads check the state,
	// and CheckState is not used. If it is nil, no requests are accepted.
	Control *control.Desk
	// ControlListener is the socket for requests on this machine; nil for none.
	ControlListener net.Listener
	// Holder identifies this process in replies to requests.
	Holder string
	// Metrics counts events of mappings in this process. Board contains the figures of the mappings
	// that the daemon displays. The daemon deletes the data of removed mappings from both.
	Metrics *metrics.Metrics
	Board   *figure.Board
	// WebConfig is the path of a web configuration file. See [web.Server].
	WebConfig string
	// Hosts are the host names under which /status and the profiles are served.
	Hosts web.Hosts
	// Pprof enables the profiles of the Go runtime.
	Pprof bool
	// Watchdog is how long a pass may run without any progress before the daemon ends it.
	Watchdog time.Duration
	// DrainTimeout is how long a pass that made no progress may take to end.
	DrainTimeout time.Duration
	// Hint returns what to do about an error, or "" if there is no hint. It may be nil.
	Hint func(error) string
	// Secrets returns texts to redact from everything that is displayed. It may be nil. Texts that
	// look like AWS credentials are always redacted.
	Secrets func() []string
	// Version is the version of the program.
	Version string
	// Logger logs events of the daemon and of mappings.
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Rand returns a random number in [0, n). It must be safe for concurrent use.
	Rand func(n int64) int64
}
