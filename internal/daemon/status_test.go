package daemon_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/daemon"
	"syncd/internal/daemon/status"
	"syncd/internal/syncer"
)

// ask returns the response to a GET request.
func ask(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Host = "localhost:9090"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestStates(t *testing.T) {
	tests := []struct {
		name   string
		runner daemon.Runner
		edit   func(*daemon.Mapping)
		want   status.State
		ready  bool
	}{
		{"between passes", &passes{took: s}, nil, status.Waiting, true},
		{"before the first tick", &passes{took: s}, func(m *daemon.Mapping) { m.AtOnce = false }, status.Waiting, true},
		{"before the first pass, in jitter", &passes{took: s}, func(m *daemon.Mapping) { m.Jitter = time.Minute }, status.Waiting, false},
		{"in a pass", &passes{took: time.Minute}, nil, status.Running, false},
		{"another process holds the lease", heldFor{&passes{origin: time.Now()}, 1 << 60}, nil, status.StandingBy, true},
		{"after a failure in a pass", &passes{took: s, err: errors.New("x")}, nil, status.Failing, true},
		{"after one without credentials", &passes{took: s, err: &awserr.CredentialsError{Err: errors.New("x")}}, nil, status.Failing, false},
		{"after one before the lease", unopened{}, nil, status.Failing, false},
		{"after a panic", &passes{took: s, panics: "x"}, nil, status.Failing, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				m := mapping("m", tt.runner)
				if tt.edit != nil {
					tt.edit(&m)
				}
				o := options(m)
				listed(o, "m")
				o.Rand = func(n int64) int64 { return n / 2 }
				d, stop := start(t, o)
				time.Sleep(5 * s)
				got := statusOf(t, d)
				if got.State != tt.want || got.Ready != tt.ready || got.Ready != (got.WhyNot == "") {
					t.Errorf("got %s, ready %v (%s), want %s, ready %v", got.State, got.Ready, got.WhyNot, tt.want, tt.ready)
				}
				if answer := ask(t, d.Handler(), "/readyz"); answer.Code != http.StatusOK {
					t.Errorf("/readyz: got %d, want 200 however the mapping is:\n%s", answer.Code, answer.Body)
				}
				stop()
				time.Sleep(2 * s)
				if got := statusOf(t, d); got.State != status.Idle {
					t.Errorf("got %s after the end, want idle", got.State)
				}
			})
		})
	}
}

// listed records that the sources of the mappings were fully listed.
func listed(o daemon.Options, mappings ...string) {
	for _, m := range mappings {
		o.Board.Of(m).SetLastListing(time.Now().Truncate(time.Second))
		o.Board.Of(m).SetLedger(1, 0)
	}
}

// unopened is a Runner that never acquires the lease.
type unopened struct{}

func (unopened) Ready(context.Context) error { return nil }

func (unopened) Run(context.Context) (syncer.Summary, error) {
	return syncer.Summary{}, errors.New("open ledger: denied")
}
func (unopened) Progress() (syncer.Progress, bool) { return syncer.Progress{}, false }
func (unopened) Close() error                      { return nil }

// TestAFirstPassIsReadyOnceItHasTheLease checks that a mapping that holds its lease is ready during
// its first pass, which may take days.
func TestAFirstPassIsReadyOnceItHasTheLease(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		o := options(mapping("m", &passes{took: time.Hour}))
		d, stop := start(t, o)
		time.Sleep(5 * s)
		if got := statusOf(t, d); got.Ready {
			t.Error("got ready before the lease was held")
		}
		o.Board.Of("m").SetLeaseHeld(true)
		time.Sleep(5 * s)
		if got := statusOf(t, d); !got.Ready {
			t.Errorf("got not ready with the lease held: %s", got.WhyNot)
		}
		stop()
	})
}

// TestATakeoverIsShownAsAPass checks that a process that was standing by and acquired the lease
// shows its pass.
func TestATakeoverIsShownAsAPass(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		o := options(mapping("m", heldFor{&passes{took: time.Hour, origin: time.Now()}, 9 * s}))
		listed(o, "m")
		d, stop := start(t, o)
		time.Sleep(5 * s)
		got := statusOf(t, d)
		if got.State != status.StandingBy || got.Lease.Holder != "other/1" {
			t.Errorf("got %s, held by %q, want standing by for the other", got.State, got.Lease.Holder)
		}
		time.Sleep(6 * s)
		o.Board.Of("m").SetLeaseHeld(true)
		if got := statusOf(t, d); got.State != status.Running || got.Lease.Holder != "" || !got.Lease.Held {
			t.Errorf("got %s, lease %+v, want the pass running with the lease held here", got.State, got.Lease)
		}
		stop()
	})
}

func TestProgressHasRatesOfTheLastMinute(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		runner := &passes{took: time.Hour}
		d, stop := start(t, options(mapping("m", runner)))
		done := int64(0)
		settle := func(perSecond int64, seconds int) {
			for range seconds {
				time.Sleep(s)
				done += perSecond
				runner.settle(syncer.Progress{Listed: 100_000, Expected: 100_000, Complete: true, Settled: done, Copied: done, CopiedBytes: done << 10})
			}
		}
		settle(100, 20)
		got := statusOf(t, d).Progress
		if got == nil || got.ObjectsPerSecond != 100 || got.BytesPerSecond != 100<<10 || got.ETASeconds == nil || *got.ETASeconds != 980 {
			t.Errorf("got %+v, want 100 objects and 100 KiB a second, and 980 s to go", got)
		}
		settle(10, 120)
		if got := statusOf(t, d).Progress; got.ObjectsPerSecond < 10 || got.ObjectsPerSecond > 10.5 {
			t.Errorf("got %v objects a second after two minutes at 10, want about those", got.ObjectsPerSecond)
		}
		settle(0, 120)
		if got := statusOf(t, d).Progress; got.ObjectsPerSecond != 0 || got.ETASeconds != nil {
			t.Errorf("got %+v when nothing moves, want no rate and no time left", got)
		}
		stop()
	})
}

// TestWatchdog checks that the health check fails only if a pass makes no progress and does not end
// when it is asked to.
func TestWatchdog(t *testing.T) {
	tests := []struct {
		name   string
		runner daemon.Runner
		beat   func(o daemon.Options)
		want   int
	}{
		{"nothing moves", &passes{took: time.Hour, drains: 2 * time.Hour}, nil, 503},
		{"progress now and then", &passes{took: time.Hour}, func(o daemon.Options) { o.Board.Of("m").Beat() }, 200},
		{"no progress, and the pass ends when asked to", &passes{took: time.Hour, drains: 20 * s}, nil, 200},
		{"another mapping moves", &passes{took: time.Hour, drains: 2 * time.Hour}, func(o daemon.Options) { o.Board.Of("n").Beat() }, 503},
		{"short passes", &passes{took: s}, nil, 200},
		{"another process works", heldFor{&passes{origin: time.Now()}, 1 << 60}, nil, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				o := options(mapping("m", tt.runner))
				d, stop := start(t, o)
				for range 3 {
					time.Sleep(10 * time.Minute)
					if tt.beat != nil {
						tt.beat(o)
					}
				}
				time.Sleep(time.Minute)
				if got := ask(t, d.Handler(), "/healthz").Code; got != tt.want {
					t.Errorf("got %d, want %d", got, tt.want)
				}
				if got := statusOf(t, d).State == status.Stalled; got != (tt.want == 503) {
					t.Errorf("got stalled %v on the page, %d of /healthz", got, tt.want)
				}
				stop()
			})
		})
	}
}

// TestAStalledPassIsEnded checks that a pass without progress is asked to end, and fails, that
// other mappings are not affected, and that its place goes to the next mapping in line.
func TestAStalledPassIsEnded(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		hung, lively := &passes{took: 1 << 60, drains: 20 * s, origin: time.Now()}, &passes{took: s, origin: time.Now()}
		m, n := mapping("m", hung), mapping("n", lively)
		m.Schedule = every(time.Hour)
		n.AtOnce, n.Schedule = false, every(16*time.Minute)
		o := bounded(1, m, n)
		o.DrainTimeout = 25 * s
		d, stop := start(t, o)
		time.Sleep(15*time.Minute + 30*s)
		got := statusOf(t, d)
		if got.State != status.Failing || got.Error == nil || got.Error.Text != "run pass: no progress for 15m0s" {
			t.Errorf("got %s, %+v, want the pass failed for that", got.State, got.Error)
		}
		if answer := ask(t, d.Handler(), "/healthz"); answer.Code != http.StatusOK {
			t.Errorf("/healthz: got %d, want 200: the process is well", answer.Code)
		}
		time.Sleep(time.Minute)
		if len(lively.starts()) != 1 {
			t.Errorf("got passes of the other mapping at %v, want one in the place that came free", lively.starts())
		}
		time.Sleep(45 * time.Minute)
		if len(hung.starts()) != 2 {
			t.Errorf("got passes at %v, want another at the next tick", hung.starts())
		}
		stop()
	})
}

// TestWatchdogWaits checks that the watchdog uses the configured time.
func TestWatchdogWaits(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		d, stop := start(t, options(mapping("slow", &passes{took: time.Hour, drains: time.Hour})))
		time.Sleep(16*time.Minute - s)
		if answer := ask(t, d.Handler(), "/healthz"); answer.Code != http.StatusOK {
			t.Errorf("got %d before 16 min, want 200", answer.Code)
		}
		time.Sleep(s)
		answer := ask(t, d.Handler(), "/healthz")
		if body := answer.Body.String(); answer.Code != 503 || body != "no progress for 15m0s: slow\n" {
			t.Errorf("got %d %q, want 503 that names the mapping", answer.Code, body)
		}
		stop()
	})
}

func TestFailuresInARowAreCounted(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		runner := &passes{took: s, err: errors.New("list source: denied")}
		o := options(mapping("m", runner))
		listed(o, "m")
		o.Hint = func(err error) string { return "about " + err.Error() }
		began := time.Now().UTC()
		d, stop := start(t, o)
		time.Sleep(25 * s)
		want := &status.Failure{
			Class: "unknown", Text: "list source: denied", Hint: "about list source: denied",
			At: began.Add(21 * s), Since: began.Add(s), Passes: 3,
		}
		if diff := cmp.Diff(want, statusOf(t, d).Error); diff != "" {
			t.Errorf("error (-want +got):\n%s", diff)
		}
		runner.fail(nil)
		time.Sleep(10 * s)
		if got := statusOf(t, d); got.Error != nil || got.State != status.Waiting {
			t.Errorf("got %s with %+v after a pass that did not fail, want waiting without", got.State, got.Error)
		}
		stop()
	})
}

func TestNothingSecretIsShown(t *testing.T) {
	const id = "tenant-shared-secret-31415"
	secrets := []string{id, "AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "abcdef0123456789signature", "session-token-value", "wJalrXUtnFEMI"}
	failure := errors.New("assume role: ExternalId=" + id + " refused for AKIAIOSFODNN7EXAMPLE and ASIAIOSFODNN7EXAMPLE; " +
		"get https://example.net/?X-Amz-Signature=abcdef0123456789signature&X-Amz-Security-Token=session-token-value: " +
		`aws_secret_access_key = "wJalrXUtnFEMI"`)
	checkpointtest.Bubble(t, func(t *testing.T) {
		o := options(mapping("m", &passes{took: s, err: failure}), mapping("n", &passes{took: s, panics: failure}))
		o.Secrets = func() []string { return []string{id, ""} }
		o.Hint = func(err error) string { return "look at " + err.Error() }
		d, stop := start(t, o)
		time.Sleep(5 * s)
		for _, path := range []string{"/status", "/status.json", "/status/live", "/readyz", "/healthz", "/metrics"} {
			body := ask(t, d.Handler(), path).Body.String()
			for _, secret := range secrets {
				if strings.Contains(body, secret) {
					t.Errorf("%s shows %q", path, secret)
				}
			}
		}
		if got := statusOf(t, d).Error.Text; !strings.HasPrefix(got, "assume role: [redacted] refused for [redacted] and [redacted]") {
			t.Errorf("got %q, want the text with its secrets taken out", got)
		}
		stop()
	})
}
