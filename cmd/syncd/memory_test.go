//go:build linux

package main

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd/internal/awsfake"
)

// The size of the objects of TestRelayMemory, in MiB. With 1024 the test takes a minute.
var memoryObjects = flag.Int64("mebibytes", 64, "the size of each of the 8 objects that TestRelayMemory relays")

// TestRelayMemory checks the peak memory of a process that relays eight large objects concurrently
// with default settings.
func TestRelayMemory(t *testing.T) {
	skipIfShort(t)
	t.Setenv("GOGC", "100") // as in production
	const limit = 256 << 20
	s := newRelaySite(t)
	for i := range uint64(8) {
		s.Source.Put(fmt.Sprintf("large-%d", i), awsfake.SyntheticBody(*memoryObjects<<20, i), awsfake.PutOptions{})
	}
	var stdout, stderr lockedBuffer
	cmd := s.start(t, &stdout, &stderr, "backfill", "--json")
	peak := watchMemory(t, cmd.Process.Pid)
	if code := exitStatus(t, cmd); code != 0 {
		t.Fatalf("got exit %d; stderr:\n%s", code, stderr.String())
	}
	if got := lastLine(t, stdout.String()); got.Copied != 8 || got.CopiedBytes != 8**memoryObjects<<20 {
		t.Errorf("got %+v, want all 8 copied", got)
	}
	most := peak()
	t.Logf("%d MiB at most", most>>20)
	if most == 0 || most >= limit {
		t.Errorf("got a peak of %d MiB, want less than %d", most>>20, limit>>20)
	}
}

// watchMemory watches a process until the returned func is called, which returns the peak of the
// process's resident memory in bytes. The peak that wait4(2) reports cannot be used, because it
// includes the memory of the process before it executed syncd.
func watchMemory(t *testing.T, pid int) (peak func() int64) {
	t.Helper()
	return watch(t, pid, "VmHWM:")
}

// watch watches a field of the status of a process, as described in proc(5), until the returned func
// is called, which returns the highest value in bytes.
func watch(t *testing.T, pid int, field string) (peak func() int64) {
	t.Helper()
	var most int64
	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				most = max(most, valueOf(pid, field))
			}
		}
	})
	return func() int64 {
		close(stop)
		watcher.Wait()
		return most
	}
}

// valueOf returns a field of proc(5) in bytes, or 0 if the process has ended.
func valueOf(pid int, field string) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), field)
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kibibytes, _ := strconv.ParseInt(fields[0], 10, 64) // kibibytes is 0 if the field is not a number
	return kibibytes << 10
}
