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

// liveAlerts are those that must fire. What they need to hold is minutes at a real Prometheus, and
// seconds here.
func liveAlerts() []string {
	return []string{
		"SyncdBacklogGrowing mapping=growing",
		"SyncdConfigReloadFailed",
		"SyncdCredentialsExpiring mapping=fleeting side=destination",
		"SyncdCredentialsExpiring mapping=fleeting side=source",
		"SyncdCredentialsFailing mapping=stranger",
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
	}
}

// afterwards fires when the process is killed, at the end.
const afterwards = "SyncdDown"

// unreached are the alerts that stay with the tests of promtool, and why.
func unreached() map[string]string {
	return map[string]string{
		"SyncdClockWrong":    "there is one clock on a machine",
		"SyncdCostHigh":      "a hundred dollars are twenty million copies",
		"SyncdPaused":        "the test pauses no mapping",
		"SyncdPassesWaiting": "a dozen mappings all have a place",
	}
}

// never are alerts that must not fire: any of a mapping that is well, and those that are easily
// taken for another one.
func never() *regexp.Regexp {
	return regexp.MustCompile(`mapping=healthy|^SyncdDown$|^SyncdThrottled mapping=kms|^SyncdThrottledKMS mapping=throttled` +
		`|^SyncdNoLeaseHolder mapping=(held|revoked)|^SyncdLeaseContended mapping=unwritable|^SyncdQuarantine mapping=(stuck|growing|revoked)` +
		`|^SyncdNoProgress mapping=growing|^SyncdNeverSucceeded mapping=(revoked|set-aside)|^SyncdCredentialsFailing mapping=revoked`)
}

// TestLiveKnowsEveryAlert wants every alert to be reached by the live test, or to say why it is
// not.
func TestLiveKnowsEveryAlert(t *testing.T) {
	known := map[string]bool{afterwards: true}
	for _, a := range liveAlerts() {
		name, _, _ := strings.Cut(a, " ")
		known[name] = true
	}
	for name := range unreached() {
		if known[name] {
			t.Errorf("%s: got it among those that are not reached, want it in one place", name)
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

// TestLive has a Prometheus watch a daemon with a dozen mappings, of which one is well.
func TestLive(t *testing.T) {
	if *prometheus == "" {
		t.Skip("wants -prometheus PATH")
	}
	w := newLiveWorld(t)
	holder := w.run(t, "--mapping", "held") // and nobody scrapes it
	eventually(t, 30*time.Second, "another process holds a mapping", func() (bool, string) {
		return len(w.destination["held"].Keys()) > 0, tail(holder.log.String())
	})
	daemon := w.run(t)
	rules := shortenRules(t, loadRules(t))
	p := startPrometheus(t, daemon.address, writeRules(t, t.TempDir(), rules))
	w.feed(t)
	// Prometheus takes its targets up some seconds after its rules, and misses them until then.
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

// watch is what was seen firing: an alert may be over when another one begins.
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

// until looks until all of these have fired.
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
			t.Errorf("got %s, want it silent", name)
		}
	}
}

// checkExposition has promtool read what is scraped, and looks for what has not happened yet: a
// counter that appears with its first event hides that from increase().
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

// checkNative has a Prometheus that knows native histograms scrape them as such, and draw the
// dashboard's quantiles from them.
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

// liveRate is what Grafana makes of $__rate_interval for scrapes of one second: four of them at
// least, and here what the rules look back.
const liveRate = "10s"

// checkDashboard asks what every panel asks, and wants each to have something to show.
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

// checkRunbook asks what an operator is told to ask. What is empty may be: a query may look for
// what is not the matter.
func checkRunbook(t *testing.T, p promServer) {
	t.Helper()
	for query := range runbookQueries(t) {
		p.query(t, query, true)
	}
}
