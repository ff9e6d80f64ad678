package daemon

import (
	"context"
	"log/slog"
	"time"

	"syncd/internal/control"
	"syncd/internal/daemon/condition"
	"syncd/internal/daemon/line"
	"syncd/internal/daemon/order"
	"syncd/internal/figure"
	"syncd/internal/metrics"
)

// shared is the state that the keepers of all mappings share.
type shared struct {
	line    *line.Line
	desk    *control.Desk // nil if no requests are accepted
	inbox   *order.Inbox  // nil if no requests are accepted
	holder  string
	metrics *metrics.Metrics
	board   *figure.Board
	// readings has an element for each reading of a ledger in progress.
	readings               chan struct{}
	watchdog, drainTimeout time.Duration
	hint                   func(error) string
	redact                 func(string) string
	log                    *slog.Logger
	now                    func() time.Time
	rand                   func(n int64) int64
}

// answer stores an answer, and reports whether it is durable.
func (s *shared) answer(ctx context.Context, r control.Request, a control.Answer) bool {
	return s.inbox.Answer(ctx, r, a)
}

// newCondition returns the condition of a mapping that replaces former, which may be nil.
func (s *shared) newCondition(m Mapping, wake func(), former *condition.Condition) *condition.Condition {
	return condition.New(condition.Options{
		Mapping: m.Name, IsScheduled: m.Schedule != nil, AtOnce: m.AtOnce, TakesRequests: s.desk != nil, Watchdog: s.watchdog, DrainTimeout: s.drainTimeout,
		Hint: s.hint, Redact: s.redact, Wake: wake, Metrics: s.metrics, Logger: s.log.With("mapping", m.Name), Now: s.now,
	}, former)
}

// newQueue returns the queue of requests to a mapping.
func (s *shared) newQueue(mapping string, c *condition.Condition, holds func() bool, wake func()) *order.Queue {
	return order.NewQueue(order.QueueOptions{
		Mapping: mapping, Desk: s.desk, Holder: s.holder, Condition: c, Holds: holds, Wake: wake, Answer: s.answer,
		Hint: s.hint, Redact: s.redact, Logger: s.log.With("mapping", mapping),
	})
}
