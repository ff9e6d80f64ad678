package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/assembly"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/store"
	"syncd/internal/demo"
	"syncd/internal/invocation"
)

// The number of drains in TestDrain, and the time within which the next process must take over. The
// make target drain sets both.
var (
	drains   = flag.Int("drains", 2, "how often TestDrain ends the process by SIGTERM")
	takeover = flag.Duration("takeover", 10*time.Second, "from the end of a process to the next one's lease, on a machine that may be busy")
)

const (
	drainLoad  = 400              // new objects between two drains
	drainLimit = 10 * time.Second // from the signal to the end; a copy takes milliseconds
)

// running is a running daemon.
type running struct {
	*exec.Cmd
	stdout, stderr lockedBuffer
	address        string
}

// TestDrain checks that nothing is lost when daemons are replaced one after the other, as in a
// rolling deployment: the next daemon stands by while the current daemon is stopped at a random
// moment under load.
func TestDrain(t *testing.T) {
	skipIfShort(t)
	s := newSite(t, func(text string) string {
		_, rest, _ := strings.Cut(text, "\naws:")
		return "http: {listen: \"127.0.0.1:0\"}\nstate: s3://consumer-state/syncd/\naws:" + strings.Replace(rest, "@every 5s", "@every 1s", 1)
	})
	s.Cloud.Account(demo.Consumer).CreateBucket("consumer-state", demo.Region, awsfake.BucketOptions{})
	s.Cloud.SetLatency(3 * time.Millisecond)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test

	present := s.daemon(t)
	for round := range *drains {
		for i := range drainLoad {
			s.Source.Put(fmt.Sprintf("%03d/%04d", random.IntN(100), round*drainLoad+i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
		}
		next := s.daemon(t)
		wait(t, time.Duration(random.IntN(1200))*time.Millisecond)
		ended := present.drain(t)
		eventually(t, "the next daemon holds the lease", func() bool {
			return scrape(t, next.address, `syncd_lease_held{mapping="owner-to-consumer"}`) == 1
		})
		if took := time.Since(ended); took > *takeover {
			t.Errorf("drain %d: the next daemon held the lease after %s, want at most %s", round, took, *takeover)
		}
		present = next
	}
	present.drain(t)
	if info, held, err := checkpoint.LeaseOf(t.Context(), s.ledgers(t), demo.Mapping); err != nil || held {
		t.Errorf("got a lease %+v after the last drain, %v, want none", info, err)
	}

	// The first pass resumes the drained pass. The second pass copies objects that were added when
	// the first pass had already listed past their keys.
	for range 2 {
		if got := s.run(t.Context(), "backfill"); got.code != 0 {
			t.Fatalf("got exit %d; stderr:\n%s", got.code, got.stderr)
		}
	}
	if diff := cmp.Diff(s.Source.Keys(), s.Destination.Keys()); diff != "" {
		t.Errorf("keys (-source +copy):\n%s", diff)
	}
	if got, want := s.Cloud.BucketRequests(demo.Copy)["CopyObject"], int64(*drains*drainLoad); got != want {
		t.Errorf("got %d copies, want %d: a drain must finish and save the copies in flight, and no object may be copied twice", got, want)
	}
}

// daemon starts a daemon and waits until it listens.
func (s *site) daemon(t *testing.T) *running {
	t.Helper()
	r := &running{}
	r.Cmd = s.start(t, &r.stdout, &r.stderr, "run")
	r.address = listening(t, &r.stderr)
	return r
}

// drain stops the daemon, waits until it has ended, and returns the time.
func (r *running) drain(t *testing.T) time.Time {
	t.Helper()
	signaled := time.Now()
	if err := r.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := exitStatus(t, r.Cmd); code != 0 {
		t.Fatalf("got exit %d, want 0; stderr:\n%s", code, r.stderr.String())
	}
	if took := time.Since(signaled); took > drainLimit {
		t.Errorf("got %s from the signal to the end, want at most %s", took, drainLimit)
	}
	return time.Now()
}

// wait lets the process work for d. The duration only determines when the signal arrives.
func wait(t *testing.T, d time.Duration) {
	t.Helper()
	select {
	case <-t.Context().Done():
	case <-time.After(d):
	}
}

// ledgers opens the store of the ledgers like another process.
func (s *site) ledgers(t *testing.T) store.Store {
	t.Helper()
	var out lockedBuffer
	p := invocation.Process{Stdout: &out, Stderr: &out, Now: time.Now, Ambient: s.SignIn()}
	state, err := assembly.OpenState(t.Context(), p, invocation.Flags{Config: s.config}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return state.Store
}
