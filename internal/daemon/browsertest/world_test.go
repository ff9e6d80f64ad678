// Package browsertest tests the status page in a real browser: what it shows, that it keeps itself
// up to date, what a screen reader gets, and that it fits on a phone.
//
// It is a separate module, so that the program does not depend on the browser driver. `make
// browser` runs it. It needs Chromium; -chromium sets its path.
//
// The tests use the real daemon with forty mappings in nine states. A test advances their passes.
package browsertest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/store"
	"syncd/internal/daemon"
	"syncd/internal/daemon/status"
	"syncd/internal/figure"
	"syncd/internal/metrics"
	"syncd/internal/syncer"
	"syncd/internal/transfer"
)

// script is a Runner whose passes behave as a test specifies.
type script struct {
	// err is the error with which the first pass fails at once, or every pass if always is set. If
	// it is nil, a pass lasts until the test ends it.
	err    error
	always bool
	// unready means that no pass becomes ready; hangs means that a pass does not end when its
	// context ends.
	unready, hangs bool

	mu  sync.Mutex
	at  syncer.Progress
	ran bool
	end chan struct{}
}

func (r *script) Ready(ctx context.Context) error {
	if r.unready {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (r *script) Run(ctx context.Context) (syncer.Summary, error) {
	r.mu.Lock()
	fails := r.err != nil && (r.always || !r.ran)
	r.ran = true
	r.mu.Unlock()
	if fails {
		return syncer.Summary{Pass: 12, Listed: 18_204}, r.err
	}
	ended := ctx.Done()
	if r.hangs {
		ended = nil
	}
	select {
	case <-r.end:
		return syncer.Summary{Pass: 12, Listed: 2_104_551, Copied: 1204, CopiedBytes: 3 << 30, Seconds: 214}, nil
	case <-ended:
		return syncer.Summary{Pass: 12}, syncer.ErrDrained
	}
}

func (r *script) Progress() (syncer.Progress, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at, r.at.Listed > 0
}

func (r *script) Close() error { return nil }

func (r *script) set(at syncer.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = at
}

// every is a schedule with ticks at a fixed interval, counted from the start of the test, so that
// the clock of the machine does not matter.
type every struct {
	from     time.Time
	interval time.Duration
}

func (e every) Next(t time.Time) time.Time {
	return e.from.Add((t.Sub(e.from)/e.interval + 1) * e.interval)
}

func (e every) String() string {
	if e.interval > time.Hour {
		return "0 */2 * * *"
	}
	return "@every " + e.interval.String()
}

// world is a daemon with forty mappings that is being served.
type world struct {
	url    string
	moving *script // the Runner of zebra-exports, whose pass is running
	board  *figure.Board
	ahead  atomic.Int64 // how far the daemon's clock is ahead, in nanoseconds
}

// Mappings that the tests name. The table states has the number of mappings in each state.
const (
	moving = "zebra-exports"
	broken = "sensor-archive-eu-central-1-long-name-for-narrow-screens"
	aside  = "clickstream-raw"
)

// states has the number of mappings in each displayed state.
var states = map[string]int{ //nolint:gochecknoglobals // a table
	"failing": 2, "stalled": 1, "quarantined": 2, "unknown": 2, "pass running": 1, "pass queued": 1, "standing by": 1, "no schedule": 2, "waiting": 28,
}

// mappings returns the mappings of the world. They are not ordered by urgency.
func (w *world) mappings(hung *script) []daemon.Mapping {
	denied := &awserr.CredentialsError{
		Role: "arn:aws:iam::222222222222:role/syncd-consumer", Action: "sts:AssumeRole", Err: errors.New("AccessDenied: not authorized to perform sts:AssumeRole on this role"),
		Hint: "the trust policy of the role must name who assumes it, and the external id that is configured",
	}
	now := time.Now()
	mapping := func(name string, atOnce bool, r *script) daemon.Mapping {
		return daemon.Mapping{
			Name: name, Schedule: every{now, 2 * time.Hour}, AtOnce: atOnce, Open: func(context.Context) (daemon.Runner, error) { return r, nil },
			Source:      transfer.Place{Bucket: "owner-" + name, Prefix: "exports/daily/", Region: "eu-central-1", Account: "111111111111"},
			Destination: transfer.Place{Bucket: "lake-staging", Prefix: name + "/", Region: "eu-central-1", Account: "222222222222"}, Method: "server_side",
		}
	}
	retried := mapping("returns-retried", true, &script{err: errors.New("list source objects: AccessDenied: not allowed to perform s3:ListBucket")})
	retried.Schedule = every{now, time.Second}
	unscheduled, once := mapping("backfill-2019", false, &script{}), mapping("backfill-2020", false, &script{})
	unscheduled.Schedule, once.Schedule = nil, nil
	all := []daemon.Mapping{
		mapping("invoices-to-warehouse", false, &script{}), mapping(moving, true, w.moving), mapping(aside, false, &script{}), unscheduled,
		mapping("partner-drops", true, &script{always: true, err: &store.LeaseHeldError{Name: "partner-drops", Holder: "syncd-7c9d/1"}}),
		mapping("new-tenant-a", false, &script{}), mapping("queued-behind-sts", true, &script{unready: true}), once, mapping("ads-hung", true, hung),
		mapping("tickets", false, &script{}),
	}
	for i := range 27 {
		all = append(all, mapping(fmt.Sprintf("tenant-%02d", i), false, &script{}))
	}
	return append(all, mapping("new-tenant-b", false, &script{}), mapping(broken, true, &script{err: denied, always: true}), retried)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	registry := prometheus.NewRegistry()
	w := &world{moving: &script{end: make(chan struct{})}, board: figure.NewBoard()}
	w.moving.set(syncer.Progress{Listed: 1_840_000, Expected: 2_104_551, Settled: 1_270_332, Copied: 8_412, CopiedBytes: 61 << 30, SetAside: 2})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + listener.Addr().String()
	hung := &script{hangs: true, end: make(chan struct{})}
	mappings := w.mappings(hung)
	w.fill(mappings)
	gate := make(chan struct{}) // passes that must not stall begin after the clock was set forward
	for i := range mappings {
		open := mappings[i].Open
		mappings[i].Open = func(ctx context.Context) (daemon.Runner, error) {
			if mappings[i].Name != "ads-hung" {
				<-gate
			}
			return open(ctx)
		}
	}
	d := daemon.New(daemon.Options{
		Mappings: mappings, Listener: listener, Gatherer: registry, Metrics: metrics.New(registry, w.board), Board: w.board, Watchdog: 15 * time.Minute, DrainTimeout: time.Hour, Version: "1.2.3",
		Hint: func(err error) string {
			if c, ok := errors.AsType[*awserr.CredentialsError](err); ok {
				return c.Hint
			}
			return ""
		},
		Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }, Rand: func(int64) int64 { return 0 },
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		close(hung.end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	w.until(t, d, func(m map[string]status.Mapping) bool { return m["ads-hung"].Activity == status.Running })
	w.ahead.Store(int64(20 * time.Minute))
	close(gate)
	w.until(t, d, func(m map[string]status.Mapping) bool {
		retried := m["returns-retried"]
		return retried.State == status.Failing && retried.Activity == status.Running && m[moving].Activity == status.Running &&
			m[broken].State == status.Failing && m["partner-drops"].State == status.StandingBy && m["ads-hung"].State == status.Stalled
	})
	return w
}

// until waits until the status of the mappings satisfies ok.
func (w *world) until(t *testing.T, d *daemon.Daemon, ok func(map[string]status.Mapping) bool) {
	t.Helper()
	var last *status.Snapshot
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		last = d.Snapshot()
		by := map[string]status.Mapping{}
		for _, m := range last.Mappings {
			by[m.Mapping] = m
		}
		if ok(by) {
			return
		}
	}
	t.Fatalf("got %+v, want the states of the world", last.Counts)
}

// fill sets the figures that passes of the mappings would set.
func (w *world) fill(mappings []daemon.Mapping) {
	now := time.Now()
	oldest := map[string]float64{moving: 412, aside: 97_200, broken: 15_300, "tickets": 7200}
	for i, mapping := range mappings {
		name := mapping.Name
		if strings.HasPrefix(name, "new-") || name == "backfill-2020" {
			continue
		}
		m := w.board.Of(name)
		m.SetLastSuccess(now.Add(-time.Duration(17*i+4) * time.Minute).Truncate(time.Second))
		m.SetLastListing(now.Add(-time.Duration(17*i+4) * time.Minute).Truncate(time.Second))
		m.SetLedger(int64(241+13*i), int64(2_104_551/(i+1)))
		m.SetBacklog(0, 0)
		m.AskOldest(func() (float64, bool) { return oldest[name], true })
		m.AskConcurrency(func() int64 { return int64(64 + i*9) })
		if !strings.HasPrefix(name, "partner") {
			end := func() (time.Time, bool) { return now.Add(61 * time.Minute).Truncate(time.Second), true }
			m.AskCredentials("source", end)
			m.AskCredentials("destination", end)
		}
	}
	m := w.board.Of(moving)
	m.SetLeaseHeld(true)
	m.SetLeaseExpiry(now.Add(20*time.Minute + 48*time.Second).Truncate(time.Second))
	m.SetBacklog(4117, 9<<30)
	m.AskRate("destination", func() (float64, bool) { return 3510, true })
	m.AskThrottles("destination", func() int64 { return 88 })
	w.board.Of(aside).SetQuarantine(map[string]int64{"archived": 1204, "key_disabled": 3})
	w.board.Of("tickets").SetQuarantine(map[string]int64{"denied": 12})
}
