package deploytest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A lockedBuffer collects a process's output while the test reads it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// child is a process that listens on a loopback port chosen by the kernel and logs the address.
type child struct {
	*exec.Cmd
	log     lockedBuffer
	address string
	ended   chan struct{}
}

// startChild starts a process and waits until its log contains the address. The pattern has one
// group, which matches the address.
func startChild(t *testing.T, cmd *exec.Cmd, listening *regexp.Regexp) *child {
	t.Helper()
	c := &child{Cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = &c.log, &c.log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(c.ended)
		_ = cmd.Wait() // the test kills the process, whose messages are in c.log
	}()
	t.Cleanup(c.kill)
	eventually(t, 30*time.Second, filepath.Base(cmd.Path)+" listens", func() (bool, string) {
		if m := listening.FindStringSubmatch(c.log.String()); m != nil {
			c.address = m[1]
		}
		return c.address != "", tail(c.log.String())
	})
	return c
}

// kill kills the process by its ID and waits until it has ended.
func (c *child) kill() {
	_ = c.Process.Kill() // the process may have ended already
	<-c.ended
}

// eventually polls until holds returns true. On timeout it fails the test with the last text that
// holds returned.
func eventually(t *testing.T, within time.Duration, what string, holds func() (ok bool, seen string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, seen := holds()
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("gave up after %v waiting until %s; seen last:\n%s", within, what, seen)
		case <-tick.C:
		}
	}
}

// tail returns the last lines of a log.
func tail(log string) string {
	const lines = 20
	all := strings.SplitAfter(log, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "")
}

// get returns the body of a page. It fails the test if the page does not exist.
func get(t *testing.T, page string) []byte {
	t.Helper()
	status, body := fetch(t, page)
	if status != http.StatusOK {
		t.Fatalf("get %s: got status %d, want 200:\n%s", page, status, body)
	}
	return body
}

func fetch(t *testing.T, page string) (status int, body []byte) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Timeout: 30 * time.Second}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	body, err = io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}

// promServer is a Prometheus that scrapes one syncd and evaluates rules, both every second.
type promServer struct{ *child }

const prometheusConfig = `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
scrape_configs:
  - job_name: syncd
    static_configs: [{targets: [%q]}]
`

func startPrometheus(t *testing.T, target, rules string, args ...string) promServer {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, prometheusConfig, rules, target), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), *prometheus, append([]string{
		"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0", "--log.format=json",
	}, args...)...)
	listening := regexp.MustCompile(`"address":"(127\.0\.0\.1:[1-9][0-9]*)"`)
	p := promServer{startChild(t, cmd, listening)}
	// Prometheus listens before it has loaded its storage, and answers 503 until the storage is
	// loaded.
	eventually(t, time.Minute, "Prometheus is ready", func() (bool, string) {
		status, body := fetch(t, "http://"+p.address+"/-/ready")
		return status == http.StatusOK, string(body)
	})
	return p
}

// ask calls Prometheus's API and decodes the response.
func (p promServer) ask(t *testing.T, path string, parameters url.Values, data any) {
	t.Helper()
	body := get(t, "http://"+p.address+"/api/v1/"+path+"?"+parameters.Encode())
	answer := struct {
		Status, Error string
		Data          any
		Warnings      []string
	}{Data: data}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Status != "success" || len(answer.Warnings) > 0 {
		t.Fatalf("%s %s: got %v, want success and no warnings:\n%s", path, parameters, err, body)
	}
}

// query returns the number of samples that a query returns. It evaluates an instant query now, and
// other queries over the last 3 minutes.
func (p promServer) query(t *testing.T, text string, instant bool) (samples int) {
	t.Helper()
	var data struct {
		Result []struct{ Value, Values []any }
	}
	now := time.Now()
	path, parameters := "query", url.Values{"query": {text}}
	if !instant {
		path = "query_range"
		parameters.Set("start", now.Add(-3*time.Minute).Format(time.RFC3339))
		parameters.Set("end", now.Format(time.RFC3339))
		parameters.Set("step", "5")
	}
	p.ask(t, path, parameters, &data)
	for _, series := range data.Result {
		samples += len(series.Values) + min(len(series.Value), 1)
	}
	return samples
}

// alert is an active alert in Prometheus's API.
type alert struct {
	State               string
	Labels, Annotations map[string]string
}

// String returns the name of the alert and the labels that identify the alert.
func (a alert) String() string {
	var labels []string
	for _, name := range slices.Sorted(maps.Keys(a.Labels)) {
		if !slices.Contains([]string{"alertname", "job", "severity"}, name) {
			labels = append(labels, name+"="+a.Labels[name])
		}
	}
	return strings.Join(append([]string{a.Labels["alertname"]}, labels...), " ")
}

func (p promServer) alerts(t *testing.T) []alert {
	t.Helper()
	var data struct{ Alerts []alert }
	p.ask(t, "alerts", nil, &data)
	return data.Alerts
}

// checkRules checks that every rule is evaluated without errors.
func (p promServer) checkRules(t *testing.T, want int) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	p.ask(t, "rules", nil, &data)
	found := 0
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			found++
			if r.Health != "ok" || r.LastError != "" {
				t.Errorf("rule %s: got health %s, %q, want ok", r.Name, r.Health, r.LastError)
			}
		}
	}
	if found != want {
		t.Errorf("got %d rules, want %d", found, want)
	}
}

// checkScrapes checks that scrapes succeed and that Prometheus accepts every sample.
func (p promServer) checkScrapes(t *testing.T) {
	t.Helper()
	var data struct {
		ActiveTargets []struct{ Health, LastError string }
	}
	p.ask(t, "targets", nil, &data)
	if len(data.ActiveTargets) != 1 || data.ActiveTargets[0].Health != "up" {
		t.Errorf("got targets %+v, want one that is up", data.ActiveTargets)
	}
	for line := range strings.Lines(string(get(t, "http://"+p.address+"/metrics"))) {
		refused := strings.HasPrefix(line, "prometheus_target_scrapes_") || strings.HasPrefix(line, "prometheus_rule_evaluation_failures_total")
		if refused && !strings.HasSuffix(line, " 0\n") {
			t.Errorf("got %s of Prometheus, want none", strings.TrimSpace(line))
		}
	}
	for line := range strings.Lines(p.log.String()) {
		if strings.Contains(line, `"level":"warn"`) || strings.Contains(line, `"level":"error"`) {
			t.Errorf("Prometheus reports problems: %s", line)
		}
	}
}

func absolute(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
