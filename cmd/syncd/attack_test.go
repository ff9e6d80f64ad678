package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var attack = flag.Bool("attack", false, "attack a process and measure what that costs; make attack sets it")

// newAttacked starts a site whose mapping runs a pass every second.
func newAttacked(t *testing.T) *site {
	t.Helper()
	if !*attack {
		t.Skip("make attack runs it; the tests of the packages hold the same bounds without a process to measure")
	}
	return newSite(t, func(text string) string {
		return "http: {listen: \"127.0.0.1:0\"}\n" + strings.Replace(text, "@every 5s", "@every 1s", 1)
	})
}

// memory returns the peak memory of a process in bytes, or 0 when it has ended (VmHWM in proc(5)).
func memory(pid int) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if err != nil || m == nil {
		return 0
	}
	kilobytes, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}

// peak returns the peak memory of a process in bytes since the previous call (clear_refs in
// proc(5)).
func peak(t *testing.T, pid int) int64 {
	t.Helper()
	most := memory(pid)
	if most == 0 {
		t.Fatal("got no peak")
	}
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0o600); err != nil {
		t.Fatal(err)
	}
	return most
}

// TestAttackOnTheListener checks that probes are answered, passes complete and memory grows by less
// than 64 MiB while 2,000 connections are idle and 1 GB of headers arrives.
func TestAttackOnTheListener(t *testing.T) {
	const idle, floods, header, most = 2000, 1150, 900 << 10, 64 << 20
	s := newAttacked(t)
	daemon := s.daemon(t)
	passes := func() float64 {
		return scrape(t, daemon.address, `syncd_passes_total{mapping="owner-to-consumer",result="complete"}`)
	}
	eventually(t, "the first passes are over", func() bool { return passes() >= 3 })
	before, begun := peak(t, daemon.Process.Pid), passes()
	before = max(before, peak(t, daemon.Process.Pid))

	conns := make([]net.Conn, 0, idle)
	for range idle {
		conn, err := net.Dial("tcp", daemon.address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		conns = append(conns, conn)
	}
	asked := time.Now()
	response, err := http.Get("http://" + daemon.address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	answered := time.Since(asked)
	if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("/healthz: got %v, %v", response, err)
	}
	idleCost := peak(t, daemon.Process.Pid) - before

	request := []byte("GET /metrics HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", header))
	var flood sync.WaitGroup
	for range floods {
		flood.Go(func() {
			conn, err := net.Dial("tcp", daemon.address)
			if err != nil {
				return
			}
			_, _ = conn.Write(request) // the server closes the connection first
			_ = conn.Close()
		})
	}
	flood.Wait()
	floodCost := peak(t, daemon.Process.Pid) - before
	eventually(t, "passes continue", func() bool { return passes() >= begun+3 })
	if failed := scrape(t, daemon.address, `syncd_passes_total{mapping="owner-to-consumer",result="failed"}`); failed != 0 {
		t.Errorf("got %v failed passes, want none", failed)
	}
	t.Logf("%d idle connections: %d KiB, /healthz after %s; %d MB of headers: %d KiB", len(conns), idleCost>>10, answered, floods*header/1_000_000, floodCost>>10)
	if idleCost > most || floodCost > most {
		t.Errorf("got %d and %d bytes, want at most %d", idleCost, floodCost, most)
	}
	daemon.drain(t)
}

// TestAttackByAnswers checks that a backfill whose every request is answered with an endless body
// uses less than 16 MiB more memory than a backfill with an ordinary refusal.
func TestAttackByAnswers(t *testing.T) {
	const most = 16 << 20
	shapes := map[string]struct {
		status     int
		head, text string
	}{
		"a refusal":              {http.StatusForbidden, "<Error><Code>AccessDenied</Code><Message>", strings.Repeat("x", 64<<10)},
		"a page of empty keys":   {http.StatusOK, "<ListBucketResult><IsTruncated>true</IsTruncated>", strings.Repeat("<Contents/>", 5000)},
		"a page of one long key": {http.StatusOK, "<ListBucketResult><Contents><Key>", strings.Repeat("x", 64<<10)},
	}
	measure := func(answer http.HandlerFunc) int64 {
		server := httptest.NewServer(answer)
		defer server.Close()
		s := newAttacked(t)
		text, err := os.ReadFile(s.config)
		if err != nil {
			t.Fatal(err)
		}
		elsewhere := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).ReplaceAll(text, []byte(server.URL))
		if err := os.WriteFile(s.config, elsewhere, 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr lockedBuffer
		cmd := s.start(t, &stdout, &stderr, "backfill")
		var most atomic.Int64
		ended := make(chan struct{})
		var watching sync.WaitGroup
		watching.Go(func() { // getrusage(2) cannot be used: it reports at least the peak of the parent
			for {
				most.Store(max(most.Load(), memory(cmd.Process.Pid)))
				select {
				case <-ended:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		})
		code := exitStatus(t, cmd)
		close(ended)
		watching.Wait()
		if code != 1 || most.Load() == 0 {
			t.Errorf("got exit %d and %d bytes of memory, want exit 1; stderr:\n%s", code, most.Load(), stderr.String())
		}
		return most.Load()
	}
	usual := measure(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<Error><Code>AccessDenied</Code></Error>")
	})
	for name, shape := range shapes {
		cost := measure(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(shape.status)
			_, err := io.WriteString(w, shape.head)
			for err == nil && r.Context().Err() == nil {
				_, err = io.WriteString(w, shape.text)
			}
		}) - usual
		t.Logf("%s without an end: %d KiB", name, cost>>10)
		if cost > most {
			t.Errorf("%s: got %d bytes more than an ordinary refusal, want at most %d", name, cost, most)
		}
	}
}
