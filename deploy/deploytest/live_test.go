package deploytest_test

import (
	"flag"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var prometheus = flag.String("prometheus", "", "the Prometheus that watches a running syncd, as /usr/bin/prometheus; none by default")

// liveAlerts returns the alerts that must fire. Conditions that take minutes in production take
// seconds here.
func liveAlerts() []string {
	return []string{
		"SyncdBacklogGrowing mapping=growing",
		"SyncdConfigReloadFailed",
		"SyncdCredentialsExpiring mapping=fleeting side=destination",
		"SyncdCredentialsExpiring mapping=fleeting side=source",
		"SyncdCredentialsFailing mapping=stranger",
		"SyncdDeletesRefused mapping=undeletable",
		"SyncdDeletesWithheld mapping=withheld",
		"SyncdDenied mapping=revoked operation=ListObjectsV2",
		"SyncdLeaseContended mapping=held",
		"SyncdNeverSucceeded mapping=stranger",
		"SyncdNoLeaseHolder mapping=unwritable",
		"SyncdNoProgress mapping=stuck",
		"SyncdNoSuccess mapping=revoked",
		"SyncdPassFailing mapping=revoked",
		"SyncdQuarantine mapping=set-aside reason=archived",
		"SyncdQuarantine mapping=set-aside reason=denied",
		"SyncdQuarantineGrowing mapping=set-aside",
		"SyncdStale mapping=stuck",
		"SyncdThrottled mapping=throttled side=destination",
		"SyncdThrottledKMS mapping=kms",
		"SyncdVerifyDifferences kind=missing mapping=damaged",
	}
}

// afterwards is the alert that fires at the end, when the process is killed.
const afterwards = "SyncdDown"

// unreached returns the alerts that only the promtool tests cover, each with the reason.
func unreached() map[string]string {
	return map[string]string{
		"SyncdClockWrong":    "there is one clock on a machine",
		"SyncdCostHigh":      "a hundred dollars are twenty million copies",
		"SyncdPaused":        "the test pauses no mapping",
		"SyncdPassesWaiting": "a dozen mappings all have a place",
	}
}

// never matches alerts that must not fire: any alert of a healthy mapping, and alerts that are
// easily confused with the expected alert.
func never() *regexp.Regexp {
	return regexp.MustCompile(`mapping=healthy|^SyncdDown$|^SyncdThrottled mapping=kms|^SyncdThrottledKMS mapping=throttled` +
		`|^SyncdNoLeaseHolder mapping=(held|revoked)|^SyncdLeaseContended mapping=unwritable|^SyncdQuarantine mapping=(stuck|growing|revoked)` +
		`|^SyncdDeletesRefused mapping=withheld|^SyncdDeletesWithheld mapping=undeletable|^SyncdNoProgress mapping=growing|^SyncdNeverSucceeded mapping=(revoked|set-aside)|^SyncdCredentialsFailing mapping=revoked`)
}

// TestLiveCoversEveryAlert checks that the live test covers every alert, or states why the alert is
// not covered.
func TestLiveCoversEveryAlert(t *testing.T) {
	known := map[string]bool{afterwards: true}
	for _, a := range liveAlerts() {
		name, _, _ := strings.Cut(a, " ")
		known[name] = true
	}
	for name := range unreached() {
		if known[name] {
			t.Errorf("%s: got it in liveAlerts and in unreached, want it in only one of them", name)
		}
		known[name] = true
	}
	there := map[string]bool{}
	for _, g := range loadRules(t) {
		for _, r := range g.Rules {
			if r.Alert != "" {
				there[r.Alert] = true
			}
		}
	}
	if diff := cmp.Diff(there, known); diff != "" {
		t.Errorf("alerts (-rules +live test):\n%s", diff)
	}
}

// TestLive checks that the alerts fire in a Prometheus that scrapes a daemon with a dozen mappings,
// of which one is healthy.
func TestLive(t *testing.T) {
	if *prometheus == "" {
		t.Skip("needs -prometheus PATH")
	}
	w := newLiveWorld(t)
	holder := w.run(t, "--mapping", "held") // not scraped
	eventually(t, 30*time.Second, "another process holds a mapping", func() (bool, string) {
		return len(w.destination["held"].Keys()) > 0, tail(holder.log.String())
	})
	daemon := w.run(t)
	rules := shortenRules(t, loadRules(t))
	p := startPrometheus(t, daemon.address, writeRules(t, t.TempDir(), rules))
	w.feed(t)
	// Prometheus loads its targets some seconds after its rules.
	eventually(t, 30*time.Second, "Prometheus scrapes syncd", func() (bool, string) {
		now := p.alerts(t)
		missed := slices.ContainsFunc(now, func(a alert) bool { return a.String() == afterwards })
		return p.query(t, `up{job="syncd"} == 1`, true) > 0 && !missed, strings.Join(states(now), "\n")
	})
	eventually(t, time.Minute, "what can be copied is copied", func() (bool, string) {
		for _, name := range []string{"healthy", "revoked", "fleeting"} {
			if len(w.destination[name].Keys()) == 0 {
				return false, name + " has nothing:\n" + tail(daemon.log.String())
			}
		}
		return true, ""
	})
	w.distrust()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("syncd says:\n%s", tail(daemon.log.String()))
		}
	})
	w.breakConfig(t, daemon)
	fired := watch{}
	fired.until(t, p, 150*time.Second, liveAlerts())
	t.Run("exposition", func(t *testing.T) { checkExposition(t, daemon) })
	t.Run("native", func(t *testing.T) { checkNative(t, daemon) })
	t.Run("dashboard", func(t *testing.T) { checkDashboard(t, p) })
	t.Run("runbook", func(t *testing.T) { checkRunbook(t, p) })
	count := 0
	for _, g := range rules {
		count += len(g.Rules)
	}
	p.checkRules(t, count)
	p.checkScrapes(t)

	fired.look(t, p)
	fired.checkNever(t)
	daemon.kill()
	fired.until(t, p, 30*time.Second, []string{afterwards})
}

// watch is the set of alerts seen firing. An alert may end before another starts.
type watch map[string]bool

func (w watch) look(t *testing.T, p promServer) (now []alert) {
	t.Helper()
	now = p.alerts(t)
	for _, a := range now {
		if a.State == "firing" {
			w[a.String()] = true
		}
		if summary := a.Annotations["summary"]; summary == "" || strings.ContainsAny(summary, "<>{}") {
			t.Errorf("%s: got summary %q, want a sentence", a, summary)
		}
	}
	return now
}

// until polls until all wanted alerts have fired.
func (w watch) until(t *testing.T, p promServer, within time.Duration, want []string) {
	t.Helper()
	start := time.Now()
	eventually(t, within, fmt.Sprintf("these fire: %q", want), func() (bool, string) {
		now := w.look(t, p)
		missing := slices.DeleteFunc(slices.Clone(want), func(name string) bool { return w[name] })
		return len(missing) == 0, fmt.Sprintf("missing:\n  %s\nfired so far:\n  %s\nnow:\n  %s",
			strings.Join(missing, "\n  "), strings.Join(slices.Sorted(maps.Keys(w)), "\n  "), strings.Join(states(now), "\n  "))
	})
	t.Logf("%d alerts after %v; fired in all:\n  %s", len(want), time.Since(start).Round(time.Second), strings.Join(slices.Sorted(maps.Keys(w)), "\n  "))
}

func states(alerts []alert) (lines []string) {
	for _, a := range alerts {
		lines = append(lines, a.State+" "+a.String())
	}
	return lines
}

func (w watch) checkNever(t *testing.T) {
	t.Helper()
	for name := range w {
		if never().MatchString(name) {
			t.Errorf("got alert %s, want it not to fire", name)
		}
	}
}

// checkExposition checks the exposition with promtool. It also checks that counters exist before
// their first event, because increase() does not count the event that creates a counter.
func checkExposition(t *testing.T, daemon *child) {
	t.Helper()
	body := get(t, "http://"+daemon.address+"/metrics")
	for _, series := range []string{
		`syncd_passes_total{mapping="healthy",result="failed"} 0`,
		`syncd_requests_total{class="denied",mapping="healthy",operation="AssumeRole"} 0`,
		`syncd_requests_total{class="denied",mapping="healthy",operation="ListObjectsV2"} 0`,
	} {
		if !strings.Contains(string(body), "\n"+series+"\n") {
			t.Errorf("got no %s, want it", series)
		}
	}
	if *promtool != "" {
		runPromtool(t, body, "check", "metrics")
	}
}

// checkNative runs a Prometheus that supports native histograms. It checks that the Prometheus
// scrapes native histograms and computes the quantiles of the dashboard from native histograms.
func checkNative(t *testing.T, daemon *child) {
	t.Helper()
	p := startPrometheus(t, daemon.address, absolute(t, rulesFile), "--enable-feature=native-histograms")
	for _, query := range loadDashboard(t).queries(liveRate) {
		if strings.HasPrefix(query, "histogram_quantile") {
			eventually(t, 20*time.Second, "a native histogram gives data", func() (bool, string) {
				return p.query(t, query, true) > 0, query
			})
		}
	}
	p.checkScrapes(t)
}

// liveRate is Grafana's $__rate_interval for scrapes every second: Grafana uses at least the time
// of four scrapes, and the test uses the range of the shortened rules.
const liveRate = "10s"

// checkDashboard runs the queries of every panel and checks that each panel has data.
func checkDashboard(t *testing.T, p promServer) {
	t.Helper()
	var mappings []string
	p.ask(t, "label/mapping/values", url.Values{"match[]": {"syncd_lease_held"}}, &mappings)
	if want := slices.Sorted(maps.Keys(liveMappings())); !slices.Equal(mappings, want) {
		t.Errorf("variable mapping: got %q, want %q", mappings, want)
	}
	d, seen := loadDashboard(t), 0
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			if p.query(t, filled(target.Expr, liveRate), target.Instant) == 0 {
				t.Errorf("%s: got no sample of %s, want one", panel.Title, target.Expr)
			}
			seen++
		}
	}
	for _, a := range d.Annotations.List {
		if p.query(t, filled(a.Expr, liveRate), false) == 0 {
			t.Errorf("got no sample of the annotation %s, want one", a.Expr)
		}
	}
	if seen < 20 {
		t.Errorf("got %d queries, want those of every panel", seen)
	}
}

// checkRunbook runs the runbook's queries. A result can be empty, because a query may look for a
// problem that does not exist.
func checkRunbook(t *testing.T, p promServer) {
	t.Helper()
	for query := range runbookQueries(t) {
		p.query(t, query, true)
	}
}
