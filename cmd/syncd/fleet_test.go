//go:build linux

package main

import (
	"flag"
	"net/http"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"syncd/internal/demo"
)

// The size of TestFleet. The make target fleet sets a thousand tenants with ten thousand entries
// each.
var (
	fleetTenants = flag.Int("tenants", 60, "how many mappings TestFleet keeps in one process")
	fleetEntries = flag.Int("entries", 300, "how many entries the ledger of each has")
)

// TestFleet checks a process with many tenants and state on S3, in which the STS endpoint of some
// roles never answers: all other tenants complete a pass, STS gets only a few requests per second,
// and memory use is bounded.
func TestFleet(t *testing.T) {
	skipIfShort(t)
	t.Setenv("GOGC", "100") // as in production
	const limit = 1 << 30
	dead := max(*fleetTenants/50, 1)
	f := newFleet(t, *fleetTenants, dead, *fleetEntries)
	f.Cloud.ResetRequests()
	t.Setenv("GOMEMLIMIT", "900MiB") // the value that deploy/ sets for a memory limit of 1 GiB
	var stdout, stderr lockedBuffer
	begun := time.Now()
	cmd := f.start(t, &stdout, &stderr, "run")
	peak, sts := watchMemory(t, cmd.Process.Pid), f.watchSTS(t)
	address := listening(t, &stderr)
	living := *fleetTenants - dead
	for passed(stderr.String()) < living {
		if time.Since(begun) > time.Hour {
			t.Fatalf("got passes of %d of %d mappings after an hour; stderr:\n%s", passed(stderr.String()), living, stderr.String())
		}
		time.Sleep(500 * time.Millisecond)
	}
	all := time.Since(begun)
	ready, err := http.Get("http://" + address + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	_ = ready.Body.Close()
	if ready.StatusCode != http.StatusOK {
		t.Errorf("/readyz: got %d with %d dead tenants, want 200", ready.StatusCode, dead)
	}
	if n := f.Cloud.BucketRequests(demo.Copy)["CopyObject"]; n != 0 {
		t.Errorf("got %v copies, want none: the ledgers contain all objects", n)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	drained := time.Now()
	if code := exitStatus(t, cmd); code != 0 {
		t.Errorf("got exit %d, want 0; stderr:\n%s", code, stderr.String())
	}
	most, rate, calls := peak(), 0, int64(0)
	rate, calls = sts()
	t.Logf("%d mappings of %d entries, %s: all had their pass after %s; %d MiB at most; %d calls of STS, at most %d a second; drained in %s",
		*fleetTenants, *fleetEntries, regexp.MustCompile(`"passes":\d+`).FindString(stderr.String()), all.Round(time.Second), most>>20, calls, rate, time.Since(drained).Round(time.Second))
	if most == 0 || most >= limit {
		t.Errorf("got a peak of %d MiB, want less than %d", most>>20, limit>>20)
	}
	if rate >= 50 {
		t.Errorf("got %d calls of STS per second, want less than 50", rate)
	}
	if calls < int64(living) {
		t.Errorf("got %d calls of STS for %d mappings, want one each", calls, living)
	}
}

// watchSTS measures the rate of requests to STS until the returned func is called. That func
// returns the highest rate, measured over five seconds, and the number of calls.
func (f *fleetSite) watchSTS(t *testing.T) (end func() (rate int, calls int64)) {
	t.Helper()
	const window = 5
	var seconds []int64
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			seconds = append(seconds, f.Cloud.Requests()["AssumeRole"])
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	})
	return func() (rate int, calls int64) {
		close(stop)
		watcher.Wait()
		for i, n := range seconds {
			if before := max(i-window, 0); i > 0 {
				rate = max(rate, int(n-seconds[before])/window)
			}
		}
		return rate, f.Cloud.Requests()["AssumeRole"]
	}
}

// passed returns how many mappings have completed a pass. It reads the log, which causes no work in
// the process.
func passed(log string) int {
	mappings := map[string]bool{}
	for _, m := range regexp.MustCompile(`"msg":"pass ended","mapping":"([^"]+)".*"result":"complete"`).FindAllStringSubmatch(log, -1) {
		mappings[m[1]] = true
	}
	return len(mappings)
}
