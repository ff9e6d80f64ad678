package main

import (
	"os"
	"runtime"
	"testing"
	"time"

	"syncd/internal/assembly"
	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/demo"
	"syncd/internal/invocation"
)

// atRest returns a process whose configuration has n mappings and state on S3.
func atRest(t *testing.T, n int) (*site, invocation.Process) {
	t.Helper()
	s := newSite(t, func(text string) string { return manyMappingsOf(text, n) })
	s.Cloud.Account(demo.Consumer).CreateBucket("consumer-state", demo.Region, awsfake.BucketOptions{})
	var out lockedBuffer
	return s, invocation.Process{
		Stdout: &out, Stderr: &out, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile, Now: time.Now, Ambient: s.SignIn(), Shared: new(creds.Shared),
	}
}

// TestMemoryAtRest checks how much memory each of 1,000 mappings that do not run needs, not
// counting its part of the configuration.
func TestMemoryAtRest(t *testing.T) {
	if testing.Short() {
		t.Skip("its numbers are others under the race detector; make test runs it")
	}
	const mappings, most = 1000, 64 << 10
	s, p := atRest(t, mappings)
	configuration := heapOf(t, func() (any, error) {
		return assembly.OpenState(t.Context(), p, invocation.Flags{Config: s.config}, nil)
	})
	all := heapOf(t, func() (any, error) { return assembly.New(t.Context(), p, invocation.Flags{Config: s.config}) })
	each := (all - configuration) / mappings
	t.Logf("%d bytes a mapping at rest, and %d of configuration", each, configuration/mappings)
	if each > most {
		t.Errorf("got %d bytes per mapping, want at most %d", each, most)
	}
}

// heapOf returns the heap memory that the result of build uses, in bytes.
func heapOf(t *testing.T, build func() (any, error)) int64 {
	t.Helper()
	before := liveHeap()
	built, err := build()
	if err != nil {
		t.Fatal(err)
	}
	after := liveHeap()
	runtime.KeepAlive(built)
	return after - before
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // of this machine
}

// TestMappingsShareConnections checks that the clients of two mappings and of the state share
// connections.
func TestMappingsShareConnections(t *testing.T) {
	s, p := atRest(t, 2)
	system, err := assembly.New(t.Context(), p, invocation.Flags{Config: s.config})
	if err != nil {
		t.Fatal(err)
	}
	state, err := assembly.StateClient(t.Context(), p, system.Config, system.Logger)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range system.Mappings {
		source, destination := m.Clients()
		if want := state.Options().HTTPClient; source.Options().HTTPClient != want || destination.Options().HTTPClient != want {
			t.Errorf("mapping %s: got separate connections, want shared ones", m.Name)
		}
	}
}
