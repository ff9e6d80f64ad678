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

// Mapping is one mapping on its schedule.
type Mapping struct {
	// Name is the mapping's name.
	Name string
	// Source and Destination are where the objects are and where they are copied to, and Method
	// how. They are shown.
	Source, Destination transfer.Place
	Method              transfer.Method
	// Schedule says when passes are due; nil for a mapping whose passes run only when somebody asks
	// for them.
	Schedule appointment.Schedule
	// Jitter delays each tick's pass by a random time below it.
	Jitter time.Duration
	// AtOnce asks for the first pass when the mapping starts instead of at its first tick. Of many
	// that start together each waits a little, and not beyond its first tick.
	AtOnce bool
	// Revision tells one configuration of the mapping from another.
	Revision int
	// Open returns what runs the passes under this configuration. It is called before the first
	// pass, when an earlier configuration of the mapping has ended; where it fails, again at the
	// next tick.
	Open func(ctx context.Context) (Runner, error)
}

// Options are the settings of a daemon. All fields are required unless they say otherwise.
type Options struct {
	// Mappings are kept on their schedules.
	Mappings []Mapping
	// Watch calls apply with all mappings each time that they have changed, and returns when ctx
	// ends; nil for mappings that never change.
	Watch func(ctx context.Context, apply func([]Mapping))
	// Listener is served until the last pass has drained.
	Listener net.Listener
	// Gatherer has the metrics, which are served.
	Gatherer prometheus.Gatherer
	// Line bounds the passes that run at once; nil means that there is no bound.
	Line *line.Line
	// CheckState returns why the state cannot be reached, which is looked at now and then; nil
	// never looks.
	CheckState func(ctx context.Context) error
	// Control is where requests are, which are looked for with the look at the state in the place
	// of CheckState; nil takes none.
	Control *control.Desk
	// ControlListener is the socket that takes requests on this machine; nil for none.
	ControlListener net.Listener
	// Holder names this process to those who send requests.
	Holder string
	// Metrics counts what happens to mappings here. Board has what is known of them, which is
	// shown. Both forget those that are removed.
	Metrics *metrics.Metrics
	Board   *figure.Board
	// WebConfig is the path of a web configuration, as [web.Server] has it.
	WebConfig string
	// Hosts are the names under which /status and the profiles are served.
	Hosts web.Hosts
	// Pprof serves the profiles of the Go runtime.
	Pprof bool
	// Watchdog is how long a pass may run without a sign of life before it is told to end.
	Watchdog time.Duration
	// DrainTimeout is how long a pass may take to end then.
	DrainTimeout time.Duration
	// Hint says what to do about an error, "" for nothing; nil never does.
	Hint func(error) string
	// Secrets returns texts that are taken out of whatever is shown; nil for none. What looks like
	// a credential of AWS is taken out in any case.
	Secrets func() []string
	// Version says which program this is.
	Version string
	// Logger gets what happens to the daemon and to mappings as a whole.
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Rand returns a random number in [0, n). It is called by several goroutines.
	Rand func(n int64) int64
}
