package syncer_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer"
	"syncd/internal/throttle"
)

// TestDrain checks that after a drain in the middle of a pass no new copies begin, and copies in
// flight are finished and saved.
func TestDrain(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(2000)
		w.cloud.SetLatency(time.Second) // eight copies a second
		s := w.open(t)
		ctx, drain := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Second+500*time.Millisecond, drain)
		start := time.Now()
		first, err := s.Run(ctx)
		if !errors.Is(err, syncer.ErrDrained) || first.Exit != 130 || first.Generation != 0 {
			t.Errorf("got %v, %+v, want the pass drained with exit 130", err, first)
		}
		// The pass spent two seconds on listings, and copied for half a second after the drain
		// began.
		if took := time.Since(start); took != 101*time.Second || first.Copied != w.copied() {
			t.Errorf("took %s for %d copies, of which %d were finished; want 101s and all of them finished", took, w.copied(), first.Copied)
		}
		if result := w.value(t, `syncd_passes_total{mapping="m",result="drained"}`); result != 1 {
			t.Errorf("got %v drained passes, want 1", result)
		}
		second := mustRun(t, s)
		if !second.Resumed || first.Copied+second.Copied != 2000 || w.copied() != 2000 {
			t.Errorf("got %d copied and then %d with %d requests, want 2000 in all, none twice", first.Copied, second.Copied, w.copied())
		}
	})
}

// TestDrainCutsWhatTakesTooLong checks that copies in flight that take longer than the drain
// timeout are canceled, and that the next pass makes them again.
func TestDrainCutsWhatTakesTooLong(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(100)
		w.source.Put("large", awsfake.SyntheticBody(20<<20, 1), awsfake.PutOptions{})
		w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
		hang := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(50), Kind: awsfake.Timeout})
		hangPart := w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Skip: 2, Kind: awsfake.Timeout})
		s := w.open(t)
		ctx, drain := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, drain)
		start := time.Now()
		first, err := s.Run(ctx)
		if !errors.Is(err, syncer.ErrDrained) || first.Copied != 99 || first.SetAside() != 0 {
			t.Errorf("got %v, %+v, want the pass drained with 99 copied and none set aside", err, first)
		}
		if took := time.Since(start); took != time.Minute+16*time.Second {
			t.Errorf("ended after %s, want one minute and the drain timeout of 20s, less the time to save", took)
		}
		if n := w.destination.Uploads(); n != 1 {
			t.Errorf("got %d uploads, want only the recorded upload, which is resumed", n)
		}
		hang()
		hangPart()
		w.cloud.ResetRequests()
		second := mustRun(t, s)
		if n := w.cloud.Requests()["UploadPartCopy"]; n != 2 || w.destination.Uploads() != 0 {
			t.Errorf("got %d parts copied and %d uploads left, want two parts and no upload", n, w.destination.Uploads())
		}
		if second.Copied != 2 || second.Unchanged != 49 || second.Exit != 0 || !second.Resumed {
			t.Errorf("got %+v, want the two interrupted objects copied, and nothing that was settled after them", second)
		}
		if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
			t.Errorf("keys (-source +copy):\n%s", diff)
		}
	})
}

// TestDrainWhileOthersWait checks that a copy that waits for its turn when the drain begins does
// not start.
func TestDrainWhileOthersWait(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(100)
		w.options.Turns = throttle.NewLevel(throttle.LevelOptions{Min: 2, Max: 2}).Gate()
		w.cloud.SetLatency(10 * time.Second)
		s := w.open(t)
		ctx, drain := context.WithCancel(t.Context())
		time.AfterFunc(15*time.Second, drain)
		got, err := s.Run(ctx)
		if !errors.Is(err, syncer.ErrDrained) || got.Copied != 2 || w.copied() != 2 {
			t.Errorf("got %v, %d copied with %d requests, want only the two in flight", err, got.Copied, w.copied())
		}
	})
}

// TestDrainBeforeThePassBegan checks a drain before the pass begins, and a drain while the pass
// waits for the first page.
func TestDrainBeforeThePassBegan(t *testing.T) {
	for _, after := range []time.Duration{0, time.Second} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fill(10)
			w.cloud.SetLatency(time.Minute)
			ctx, drain := context.WithCancel(t.Context())
			defer drain()
			if after == 0 {
				drain()
			}
			time.AfterFunc(after, drain)
			got, err := w.open(t).Run(ctx)
			if !errors.Is(err, syncer.ErrDrained) || got.Exit != 130 || w.copied() != 0 {
				t.Errorf("after %s: got %v, exit %d, %d copies, want the pass drained before any", after, err, got.Exit, w.copied())
			}
		})
	}
}

// faulty wraps a store and fails its writes on demand.
type faulty struct {
	store.Store
	broken atomic.Bool
}

var errDisk = errors.New("no space left on device")

func (f *faulty) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	if f.broken.Load() {
		return fmt.Errorf("create record %s: %w", name, errDisk)
	}
	return f.Store.Create(ctx, name, write)
}

// TestLedgerThatCannotBeWritten checks that a pass whose ledger cannot be written ends soon with
// the store's error, and that no entry is lost.
func TestLedgerThatCannotBeWritten(t *testing.T) {
	skipIfShort(t)
	for name, arrange := range map[string]func(w *world, s *faulty){
		"when entries are many": func(w *world, s *faulty) {
			w.options.Ledger.FlushEntries = 100
			w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Skip: 550, Times: 1, Do: func() { s.broken.Store(true) }})
		},
		"when time has come": func(_ *world, s *faulty) { time.AfterFunc(65*time.Second, func() { s.broken.Store(true) }) },
		"while the next page hangs": func(w *world, s *faulty) {
			w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Skip: 1, Times: 1, Kind: awsfake.Timeout})
			time.AfterFunc(65*time.Second, func() { s.broken.Store(true) })
		},
		"while a copy hangs": func(w *world, s *faulty) {
			w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "k00505", Times: 1, Kind: awsfake.Timeout})
			time.AfterFunc(65*time.Second, func() { s.broken.Store(true) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(1500)
				w.cloud.SetLatency(time.Second)
				store := &faulty{Store: w.options.Store}
				w.options.Store = store
				arrange(w, store)
				s := w.open(t)
				start := time.Now()
				got, err := s.Run(t.Context())
				if !errors.Is(err, errDisk) || got.Exit != 1 || strings.Count(err.Error(), errDisk.Error()) > 2 {
					t.Errorf("got exit %d, %v, want exit 1 and the store's error", got.Exit, err)
				}
				if took := time.Since(start); took > 100*time.Second {
					t.Errorf("ended after %s, want soon after the store broke", took)
				}
				store.broken.Store(false)
				before := w.copied()
				second := mustRun(t, s)
				if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
					t.Errorf("keys (-source +copy):\n%s", diff)
				}
				// At most ten seconds of work, or a hundred entries, are unsaved when the store
				// breaks.
				if twice := w.copied() - 1500; before == 1500 || twice > 200 || !second.Resumed {
					t.Errorf("got %d copies before, %d made twice, resumed %v", before, twice, second.Resumed)
				}
			})
		})
	}
}

// TestDrainThatCannotSave checks that a drain that cannot save is a failure, because the copies
// must be made again.
func TestDrainThatCannotSave(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(500)
		w.cloud.SetLatency(time.Second)
		store := &faulty{Store: w.options.Store}
		w.options.Store = store
		s := w.open(t)
		ctx, drain := context.WithCancel(t.Context())
		time.AfterFunc(35*time.Second, func() {
			store.broken.Store(true)
			drain()
		})
		got, err := s.Run(ctx)
		if !errors.Is(err, errDisk) || errors.Is(err, syncer.ErrDrained) || got.Exit != 1 {
			t.Errorf("got exit %d, %v, want exit 1 and the store's error", got.Exit, err)
		}
		store.broken.Store(false)
		if got := mustRun(t, s); !got.Resumed {
			t.Errorf("got %+v, want the pass resumed", got)
		}
	})
}

func TestCommitThatFails(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(10)
		store := &faulty{Store: w.options.Store}
		w.options.Store = store
		store.broken.Store(true)
		s := w.open(t)
		got, err := s.Run(t.Context())
		if !errors.Is(err, errDisk) || got.Generation != 0 || got.Exit != 1 {
			t.Errorf("got %v, %+v, want the store's error and no generation", err, got)
		}
		if at := w.value(t, `syncd_last_success_timestamp_seconds{mapping="m"}`); at != 0 {
			t.Errorf("got a success at %v, want none", at)
		}
		store.broken.Store(false)
		if got := mustRun(t, s); got.Generation != 1 || got.Exit != 0 {
			t.Errorf("got %+v, want the generation committed", got)
		}
	})
}

func TestLedgerThatCannotBeOpened(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(1)
		s := w.open(t)
		mustRun(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		folder := filepath.Join(w.dir, "m")
		if err := errors.Join(os.RemoveAll(folder), os.WriteFile(folder, nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		w.cloud.ResetRequests()
		got, err := s.Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), folder) || got.Exit != 1 || len(w.cloud.Requests()) != 0 {
			t.Errorf("got %v, exit %d after %v, want the folder named before any request", err, got.Exit, w.cloud.Requests())
		}
	})
}

// TestLedgerHeldByAnother checks that only one of two syncers of a mapping can hold its ledger.
func TestLedgerHeldByAnother(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(1)
		w.options.Ledger.Holder = "host/1"
		first := w.open(t)
		mustRun(t, first)
		w.options.Store, w.options.Ledger.Holder = w.store(t), "host/2"
		second := w.open(t)
		got, err := second.Run(t.Context())
		held, ok := errors.AsType[*store.LeaseHeldError](err)
		if !ok || held.Holder != "host/1" || got.Exit != 5 {
			t.Errorf("got %v, exit %d, want the lease held by host/1 and exit 5", err, got.Exit)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if got := mustRun(t, second); got.Unchanged != 1 {
			t.Errorf("got %+v, want the second to continue", got)
		}
	})
}

// TestFailedPassGivesTheLeaseBack checks that another syncer can take the lease after the pass of a
// syncer failed.
func TestFailedPassGivesTheLeaseBack(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(10)
		repair := w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.AccessDenied})
		first := w.open(t)
		if _, err := first.Run(t.Context()); awserr.Classify(err) != awserr.Denied {
			t.Fatalf("got %v, want class %q", err, awserr.Denied)
		}
		repair()
		w.options.Store = w.store(t)
		if got := mustRun(t, w.open(t)); got.Copied != 10 {
			t.Errorf("got %+v, want the pass of the other syncer", got)
		}
	})
}
