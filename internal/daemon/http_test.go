package daemon_test

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/daemon"
	"syncd/internal/figure"
	"syncd/internal/syncer"
	"syncd/internal/transfer"
)

var update = flag.Bool("update", false, "write what the tests get to their golden files")

func TestPages(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		d, stop := start(t, options(mapping("m", &passes{took: s})))
		h := d.Handler()
		for _, tt := range []struct {
			path, accept string
			status       int
			kind, want   string
		}{
			{"/status", "text/html,application/xhtml+xml,*/*;q=0.8", 200, "text/html; charset=utf-8", "<!doctype html>"},
			{"/status", "", 200, "text/html; charset=utf-8", "<!doctype html>"},
			{"/status", "application/json", 200, "application/json", `"mappings"`},
			{"/status.json", "", 200, "application/json", `"mapping": "m"`},
			{"/status/live", "", 200, "text/html; charset=utf-8", "<table>"},
			{"/status?state=running", "", 200, "text/html; charset=utf-8", "State: pass running"},
			{"/status?state=<b>", "", 200, "text/html; charset=utf-8", "All mappings"},
			{"/status.css", "", 200, "text/css; charset=utf-8", "prefers-color-scheme"},
			{"/status.js", "", 200, "text/javascript; charset=utf-8", "fetch("},
			{"/healthz", "", 200, "text/plain; charset=utf-8", "ok\n"},
			{"/metrics", "", 200, "text/plain; version=0.0.4; charset=utf-8; escaping=underscores", "syncd_next_pass_timestamp_seconds"},
			{"/", "", 302, "text/html; charset=utf-8", ""},
			{"/debug/pprof/", "", 404, "text/plain; charset=utf-8", ""},
			{"/status/../etc", "", 307, "", ""},
		} {
			answer := ask(t, h, tt.path, "Accept", tt.accept)
			body := answer.Body.String()
			if answer.Code != tt.status || tt.kind != "" && answer.Header().Get("Content-Type") != tt.kind || !strings.Contains(body, tt.want) {
				t.Errorf("%s as %q: got %d, %s:\n%s\nwant %d, %s with %q", tt.path, tt.accept, answer.Code, answer.Header().Get("Content-Type"), body, tt.status, tt.kind, tt.want)
			}
		}
		stop()
	})
}

// TestPagesAreGuarded checks that pages can load nothing from other hosts, and nothing inline.
func TestPagesAreGuarded(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		d, stop := start(t, options(mapping("m", &passes{took: s})))
		for _, path := range []string{"/status", "/status.json", "/status/live", "/status.css", "/status.js", "/readyz"} {
			header := ask(t, d.Handler(), path).Header()
			want := map[string]string{
				"Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; " +
					"base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			}
			for name, value := range want {
				if got := header.Get(name); got != value {
					t.Errorf("%s: got %s %q, want %q", path, name, got, value)
				}
			}
		}
		page := ask(t, d.Handler(), "/status").Body.String()
		for _, inline := range []string{"style=", "onclick", "<style", "http://", "https://"} {
			if strings.Contains(page, inline) {
				t.Errorf("the page holds %q", inline)
			}
		}
		stop()
	})
}

func TestPprofIsServedOnlyWhenAskedFor(t *testing.T) {
	o := options()
	o.Pprof = true
	if got := ask(t, daemon.New(o).Handler(), "/debug/pprof/cmdline").Code; got != http.StatusOK {
		t.Errorf("got %d, want 200", got)
	}
}

// TestStatusShowsTheClock checks that the status and the page show the clock skew that the board
// reports.
func TestStatusShowsTheClock(t *testing.T) {
	for skew, want := range map[float64]string{3900: "1h5m0s ahead of", -3900: "1h5m0s behind", 2: ""} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			o := options(mapping("m", &passes{took: s}))
			o.Board.AskClockSkew(func() (float64, bool) { return skew, true })
			d, stop := start(t, o)
			if got := d.Snapshot().ClockSkewSeconds; got == nil || *got != skew {
				t.Errorf("got a skew of %v, want %v", got, skew)
			}
			page := ask(t, d.Handler(), "/status").Body.String()
			if warned := strings.Contains(page, "the clock of this machine is"); warned != (want != "") || !strings.Contains(page, want) {
				t.Errorf("skew of %v: got warned %v, want %q on the page", skew, warned, want)
			}
			stop()
		})
	}
}

// TestStatusIsAContract compares the JSON form of the status with its golden file.
func TestStatusIsAContract(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		d, stop := start(t, world())
		time.Sleep(32500 * time.Millisecond)
		for path, golden := range map[string]string{"/status.json": "testdata/status.golden", "/readyz": "testdata/readyz.golden"} {
			body := ask(t, d.Handler(), path).Body.String()
			if !json.Valid([]byte(body)) {
				t.Errorf("%s is not JSON:\n%s", path, body)
			}
			checkGolden(t, golden, body)
		}
		stop()
	})
}

// TestPageShowsRanges checks that the page shows the ranges that a pass is walking, with the key
// escaped, and nothing about the ranges of mappings without a pass.
func TestPageShowsRanges(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		d, stop := start(t, world())
		time.Sleep(s)
		page := ask(t, d.Handler(), "/status").Body.String()
		const want = `<dt>Ranges</dt><dd>16 being walked; the oldest begins after &#34;exports/2026/&lt;b&gt;\xff&#34;, walked for 30 s</dd>`
		if !strings.Contains(page, want) || strings.Count(page, "<dt>Ranges</dt>") != 1 {
			t.Errorf("got no single %s on the page:\n%s", want, page)
		}
		stop()
	})
}

// TestPageShowsDeletes checks what the page and the JSON show about deletes of the last pass.
func TestPageShowsDeletes(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		d, stop := start(t, options(
			mapping("some", &passes{took: s, deletes: syncer.Summary{Deleted: 1200, Undeleted: map[string]int64{"refused": 3, "returned": 5}}}),
			mapping("withheld", &passes{took: s, deletes: syncer.Summary{Withheld: 4000}}),
		))
		time.Sleep(3 * s)
		page := ask(t, d.Handler(), "/status").Body.String()
		for _, want := range []string{
			"<dt>Last pass</dt><dd>undeleted in 0 s: 0 listed, 0 copied, 1,200 deleted</dd>", "<strong>3 copies not deleted:</strong>",
			"<strong>4,000 deletes withheld:</strong>", "<code>syncd trigger --mapping withheld --allow-deletes 4000</code>",
		} {
			if strings.Count(page, want) != 1 {
				t.Errorf("got no single %s on the page:\n%s", want, page)
			}
		}
		answer := ask(t, d.Handler(), "/status.json").Body.String()
		for _, want := range []string{`"deleted": 1200`, `"refused": 3`, `"withheld": 4000`} {
			if strings.Count(answer, want) != 1 {
				t.Errorf("got no single %s in the JSON:\n%s", want, answer)
			}
		}
		stop()
	})
}

func checkGolden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update accepts):\n%s", path, diff)
	}
}

// world returns the options of a daemon with a mapping whose pass is running, one that fails, one
// that waits and one without a schedule.
func world() daemon.Options {
	running := &passes{took: time.Hour}
	running.settle(syncer.Progress{Listed: 4000, Settled: 3250, Expected: 10_000, Copied: 3000, CopiedBytes: 65 << 20, SetAside: 2})
	failing := &passes{took: s, err: errors.New("list source objects: AccessDenied: not allowed")}
	alpha, delta := mapping("alpha", running), mapping("delta", &passes{took: s})
	alpha.Source = transfer.Place{Bucket: "alice-data", Prefix: "exports/", Region: "us-west-2", Account: "111111111111"}
	alpha.Destination, alpha.Method = transfer.Place{Bucket: "bob-staging"}.At("minio.example.net:9000"), "server_side"
	delta.Schedule, delta.AtOnce = nil, false
	o := options(alpha, mapping("beta", failing), mapping("gamma", &passes{took: s}), delta)
	listed(o, "gamma")
	o.Version = "1.2.3"
	o.Hint = func(error) string { return "ask the owner" }
	m, now := o.Board.Of("alpha"), time.Now().Truncate(time.Second)
	m.SetLeaseHeld(true)
	m.SetLeaseExpiry(now.Add(100 * s))
	m.SetLastSuccess(now.Add(-time.Hour))
	m.SetLastListing(now.Add(-2 * time.Hour))
	m.SetLedger(7, 10_000)
	m.SetBacklog(750, 5<<20)
	m.SetQuarantine(map[string]int64{"denied": 3})
	m.AskOldest(func() (float64, bool) { return 90.5, true })
	m.AskRanges(func() (int64, figure.Range) { return 16, figure.Range{Seconds: 30.5, After: "exports/2026/<b>\xff"} })
	m.AskConcurrency(func() int64 { return 64 })
	m.AskRate("destination", func() (float64, bool) { return 3500, true })
	m.AskThrottles("destination", func() int64 { return 12 })
	m.AskCredentials("source", func() (time.Time, bool) { return now.Add(time.Hour), true })
	return o
}
