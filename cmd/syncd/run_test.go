package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/config"
	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/exit"
)

// scrape returns the value of a series in /metrics, or 0 if it does not exist.
func scrape(t *testing.T, address, series string) float64 {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if value, ok := strings.CutPrefix(line, series+" "); ok {
			parsed, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return parsed
		}
	}
	return 0
}

// TestRunFollowsTheSource checks that the real daemon copies new objects and counts them in the
// metrics, that SIGTERM in the middle of a pass drains, and that nothing is lost.
func TestRunFollowsTheSource(t *testing.T) {
	s := newSite(t, func(text string) string {
		return "http: {listen: \"127.0.0.1:0\"}\ndrain_timeout: 10m\n" + strings.Replace(text, "@every 5s", "@every 1s", 1)
	})
	put := func(prefix string, n int) {
		for i := range n {
			s.Source.Put(fmt.Sprintf("%s/%04d", prefix, i), awsfake.BytesBody([]byte(prefix)), awsfake.PutOptions{})
		}
	}
	put("first", 10)
	var stdout, stderr lockedBuffer
	daemon := s.start(t, &stdout, &stderr, "run")
	listening := regexp.MustCompile(`"address":"([^"]+)"`)
	var address string
	eventually(t, "the daemon listens", func() bool {
		if m := listening.FindStringSubmatch(stderr.String()); m != nil {
			address = m[1]
		}
		return address != ""
	})
	eventually(t, "the first objects are copied", func() bool { return len(s.Destination.Keys()) == 10 })
	put("second", 5)
	passes := scrape(t, address, `syncd_passes_total{mapping="owner-to-consumer",result="complete"}`)
	eventually(t, "new objects are copied", func() bool { return len(s.Destination.Keys()) == 15 })
	eventually(t, "/metrics counts them", func() bool {
		return scrape(t, address, `syncd_objects_total{mapping="owner-to-consumer",outcome="copied"}`) == 15
	})
	// If a pass was in progress when the objects were added, the pass may already have listed past
	// their keys. The next pass must find the objects.
	if more := scrape(t, address, `syncd_passes_total{mapping="owner-to-consumer",result="complete"}`) - passes; more > 2 {
		t.Errorf("got %v passes until new objects were copied, want at most 2", more)
	}

	// From here on a copy takes 20 ms, so that the signal arrives in the middle of a pass.
	s.Cloud.SetLatency(20 * time.Millisecond)
	copied := func() int64 { return s.Cloud.BucketRequests(demo.Copy)["CopyObject"] }
	put("third", 3000)
	eventually(t, "a pass is in its middle", func() bool { return copied() > 500 })
	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	signaled := time.Now()
	if code := exitStatus(t, daemon); code != 0 {
		t.Errorf("got exit %d, want 0; stderr:\n%s", code, stderr.String())
	}
	// A drain waits only for the copies in flight. If it waited for more, it would take the whole
	// drain_timeout, 10 minutes.
	if took := time.Since(signaled); took > 2*time.Minute {
		t.Errorf("got %s from the signal to the end, want less than drain_timeout", took)
	}
	s.Cloud.SetLatency(0)
	done := copied()
	if done >= 3015 {
		t.Fatalf("got %d copies before the end, want the signal in the middle of the pass", done)
	}

	next := lastLine(t, s.run(t.Context(), "backfill", "--json").stdout)
	if !next.Resumed || done+next.Copied != 3015 {
		t.Errorf("got %d copies before the signal and %d after, resumed %v; want 3015 in all, none twice", done, next.Copied, next.Resumed)
	}
	if diff := cmp.Diff(s.Source.Keys(), s.Destination.Keys()); diff != "" {
		t.Errorf("keys (-source +copy):\n%s", diff)
	}
}

// TestRunContinuesOtherMappings checks that a mapping whose role is refused does not affect another
// mapping.
func TestRunContinuesOtherMappings(t *testing.T) {
	s := newSite(t, func(text string) string {
		broken := strings.NewReplacer(
			"name: "+demo.Mapping, "name: broken", "role: consumer", "role: stranger",
			"bucket: "+demo.Copy, "bucket: "+demo.Copy+", prefix: broken/",
		).Replace(text[strings.Index(text, "  - name:"):])
		text = strings.Replace(text, "bucket: "+demo.Copy, "bucket: "+demo.Copy+", prefix: good/", 1)
		text = strings.Replace(text, "roles:\n", "roles:\n  stranger: {arn: \"arn:aws:iam::222222222222:role/no-such-role\"}\n", 1)
		return "http: {listen: \"127.0.0.1:0\"}\n" + strings.ReplaceAll(text+broken, "@every 5s", "@every 1s")
	})
	s.Source.Put("a", awsfake.BytesBody([]byte("a")), awsfake.PutOptions{})
	var stdout, stderr lockedBuffer
	daemon := s.start(t, &stdout, &stderr, "run")
	eventually(t, "the good mapping copies and the broken one has failed", func() bool {
		return len(s.Destination.Keys()) == 1 && strings.Contains(stderr.String(), `"msg":"pass failed","mapping":"broken","class":"credentials"`)
	})
	address := listening(t, &stderr)
	eventually(t, "the process is ready despite the broken mapping", func() bool {
		response, err := http.Get("http://" + address + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			t.Fatal(err)
		}
		return response.StatusCode == http.StatusOK && strings.Contains(string(body), "\"mapping\": \"broken\",\n      \"ready\": false")
	})
	// A refused role is not assumed again at once, nor at the next tick, which is a second later.
	const of = `mapping="broken",`
	failed, refused := scrape(t, address, `syncd_passes_total{`+of+`result="failed"}`), scrape(t, address, `syncd_requests_total{class="denied",`+of+`operation="AssumeRole"}`)
	if failed == 0 || refused != failed {
		t.Errorf("got %v refusals and %v failed passes, want one each", refused, failed)
	}
	if err := daemon.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitStatus(t, daemon); code != 0 {
		t.Errorf("got exit %d, want 0; stderr:\n%s", code, stderr.String())
	}
}

// TestBackfillServesProfiles checks that a backfill serves profiles on the configured address or on
// the default address of run, and that it logs the reason if that address cannot be used.
func TestBackfillServesProfiles(t *testing.T) {
	address := freeAddress(t)
	s := newSite(t, func(text string) string { return "http: {listen: \"" + address + "\", pprof: true}\n" + text })
	s.Source.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	status := 0
	defer s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "k", Do: func() {
		res, err := http.Get("http://" + address + "/debug/pprof/cmdline")
		if err == nil {
			status = res.StatusCode
			_ = res.Body.Close() // only the status is used
		}
	}})()
	if got := s.run(t.Context(), "backfill"); got.code != 0 || status != http.StatusOK {
		t.Errorf("got exit %d and status %d; stderr:\n%s", got.code, status, got.stderr)
	}
	text := string(readText(t, s.config))
	for from, to := range map[string]string{
		"listen: \"" + address + "\", ": "",
		"pprof: true":                   "web_config: absent.yaml",
	} {
		if err := os.WriteFile(s.config, []byte(strings.Replace(text, from, to, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		// Without an address, the backfill uses the default address of run. The test listens on
		// that address, so that the address is in use, unless another process already listens on
		// it.
		if taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", config.DefaultListen); err == nil {
			defer func() { _ = taken.Close() }() // the listener accepts no connection
		}
		got := s.run(t.Context(), "backfill")
		if to == "" && (got.code != 0 || !strings.Contains(got.stderr, "metrics were not served") || !strings.Contains(got.stderr, config.DefaultListen)) ||
			to != "" && (got.code != exit.CodeUsage || !strings.Contains(got.stderr, "absent.yaml")) {
			t.Errorf("%s: got exit %d; stderr:\n%s", from, got.code, got.stderr)
		}
	}
}
