// Package browsertest looks at the status page with a real browser: what it shows, that it keeps itself up to date, what a
// screen reader is told, and that it fits a phone.
//
// It is a module of its own, so that the program does not depend on what drives a browser. `make browser` runs it; it
// needs Chromium, which -chromium names.
//
// The world is the real daemon with mappings in every state, whose passes a test moves on by hand.
package browsertest_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/daemon"
	"syncd/internal/metrics"
	"syncd/internal/syncer"
)

// script is a Runner whose passes are what a test says.
type script struct {
	err error // of a pass, which ends at once; nil for one that goes on until it is told to end

	mu  sync.Mutex
	at  syncer.Progress
	end chan struct{}
}

func (r *script) Ready(context.Context) error { return nil }

func (r *script) Run(ctx context.Context) (syncer.Summary, error) {
	if r.err != nil {
		return syncer.Summary{Pass: 12, Listed: 18_204}, r.err
	}
	select {
	case <-r.end:
		return syncer.Summary{Pass: 12, Listed: 2_104_551, Copied: 1204, CopiedBytes: 3 << 30, Seconds: 214}, nil
	case <-ctx.Done():
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

// hourly is a schedule at the full hour.
type hourly struct{}

func (hourly) Next(t time.Time) time.Time { return t.Truncate(time.Hour).Add(time.Hour) }
func (hourly) String() string             { return "0 * * * *" }

// world is a served daemon.
type world struct {
	url     string
	moving  *script // the pass of zebra-exports, which is under way
	metrics *metrics.Metrics
}

func newWorld(t *testing.T) *world {
	t.Helper()
	registry := prometheus.NewRegistry()
	w := &world{moving: &script{end: make(chan struct{})}, metrics: metrics.New(registry)}
	w.moving.set(syncer.Progress{Listed: 1_840_000, Expected: 2_104_551, Settled: 1_270_332, Copied: 8_412, CopiedBytes: 61 << 30, SetAside: 2})
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.url = "http://" + listener.Addr().String()
	w.fill()
	mapping := func(name string, atOnce bool, r *script) daemon.Mapping {
		return daemon.Mapping{Name: name, Schedule: hourly{}, AtOnce: atOnce, Open: func(context.Context) (daemon.Runner, error) { return r, nil }}
	}
	denied := &awserr.CredentialsError{
		Role: "arn:aws:iam::222222222222:role/syncd-consumer", Action: "sts:AssumeRole", Err: errors.New("AccessDenied: not authorized to perform sts:AssumeRole on this role"),
		Hint: "the trust policy of the role must name who assumes it, and the external id that is configured",
	}
	d := daemon.New(daemon.Options{
		Mappings: []daemon.Mapping{
			mapping("zebra-exports", true, w.moving),
			mapping("invoices-to-warehouse", false, &script{}),
			mapping("clickstream-raw", false, &script{}),
			mapping("sensor-archive-eu-central-1-long-name-for-narrow-screens", true, &script{err: denied}),
			mapping("partner-drops", true, &script{err: &checkpoint.LeaseHeldError{Name: "partner-drops", Holder: "syncd-7c9d/1"}}),
		},
		Listener: listener, Gatherer: registry, Metrics: w.metrics, Watchdog: 15 * time.Minute, Version: "1.2.3",
		Hint: func(err error) string {
			if c, ok := errors.AsType[*awserr.CredentialsError](err); ok {
				return c.Hint
			}
			return ""
		},
		Logger: slog.New(slog.DiscardHandler), Now: time.Now, Rand: func(int64) int64 { return 0 },
	})
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return w
}

// fill gives the metrics what passes would have.
func (w *world) fill() {
	m, now := w.metrics, time.Now()
	constant := func(v float64) func() (float64, bool) { return func() (float64, bool) { return v, true } }
	for i, name := range []string{"zebra-exports", "invoices-to-warehouse", "clickstream-raw", "sensor-archive-eu-central-1-long-name-for-narrow-screens", "partner-drops"} {
		m.LastSuccess.WithLabelValues(name).Set(float64(now.Add(-time.Duration(17*i+4) * time.Minute).Unix()))
		m.LedgerGeneration.WithLabelValues(name).Set(float64(241 + 13*i))
		m.LedgerEntries.WithLabelValues(name).Set(float64(2_104_551 / (i + 1)))
		m.OldestUnsynced.Set(constant([]float64{412, 0, 97_200, 15_300, 0}[i]), name)
		m.ConcurrencyLimit.Set(constant(float64(64+i*9)), name)
		if !strings.HasPrefix(name, "partner") {
			m.CredentialExpiry.Set(constant(float64(now.Add(41*time.Minute).Unix())), name, "source")
			m.CredentialExpiry.Set(constant(float64(now.Add(41*time.Minute).Unix())), name, "destination")
		}
	}
	m.LeaseHeld.WithLabelValues("zebra-exports").Set(1)
	m.LeaseExpiry.WithLabelValues("zebra-exports").Set(float64(now.Add(48 * time.Second).Unix()))
	m.BacklogObjects.WithLabelValues("zebra-exports").Set(4117)
	m.BacklogBytes.WithLabelValues("zebra-exports").Set(9 << 30)
	m.QuarantineObjects.WithLabelValues("clickstream-raw", "archived").Set(1204)
	m.QuarantineObjects.WithLabelValues("clickstream-raw", "key_disabled").Set(3)
	m.RateLimit.Set(constant(3510), "zebra-exports", "destination")
	m.Throttles.Set(constant(88), "zebra-exports", "destination")
}
