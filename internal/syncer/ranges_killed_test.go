package syncer_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/syncer"
	"syncd/internal/throttle"
)

const (
	slowRanges   = 16
	perSlowRange = 20
	inSlowRanges = slowRanges * perSlowRange
	copiesAtOnce = 32 // each takes a second, except 16
	saveEvery    = 2 * time.Second
)

// slowWorld makes a world whose passes walk 16 ranges. In each range the copy of one object takes
// minutes. The other copies take a second.
func slowWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.divide(perSlowRange, 1000)
	w.fill(inSlowRanges)
	w.settle() // as every process does
	mustRunAndClose(t, w)
	for r := range slowRanges {
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(r*perSlowRange + r), Do: func() { time.Sleep(3 * time.Minute) }})
	}
	w.options.Turns = throttle.NewLevel(throttle.LevelOptions{Min: copiesAtOnce, Max: copiesAtOnce}).Gate()
	w.copies.Slots = throttle.NewLevel(throttle.LevelOptions{Min: 2 * copiesAtOnce, Start: 2 * copiesAtOnce, Max: 2 * copiesAtOnce}).Gate()
	w.options.Ledger.FlushInterval = saveEvery
	w.cloud.SetLatency(time.Second)
	return w
}

func mustRunAndClose(t *testing.T, w *world) {
	t.Helper()
	s := w.open(t)
	mustRun(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestKillsInManyRanges kills processes at random times while 16 ranges are walked, each with a copy
// that takes minutes. It checks after each kill that every settled key has its copy and that no key
// is open again, and that no pass makes more copies again than those in flight and those of one save
// interval.
func TestKillsInManyRanges(t *testing.T) {
	kills := 20
	switch {
	case *many > 1000:
		kills = *many
	case testing.Short():
		kills = 10
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := slowWorld(t)
		counter := &copyCounter{next: w.cloud.RoundTripper(), byKey: map[string]int{}}
		w.network = func(http.RoundTripper) http.RoundTripper { return counter }
		for round := 1; kills > 0 && !t.Failed(); round++ {
			time.Sleep(time.Hour)
			w.rewrite(inSlowRanges, round, func(int) bool { return true })
			before, killed := counter.made, int64(0)
			settled := 0
			for lives := 1 + random.IntN(8); lives > 0 && kills > 0; lives-- {
				p := w.start(t, "folder")
				p.life = time.Duration(random.Int64N(int64(20 * time.Second)))
				if got, err := p.run(t); err == nil {
					t.Fatalf("got %+v, want a pass that is killed", got)
				}
				p.finish(t)
				settled = w.wantCopied(t, settled)
				killed++
				kills--
			}
			last := w.start(t, "folder")
			if got, err := last.run(t); err != nil || got.Exit != 0 {
				t.Fatalf("last process: got %+v, %v, want the pass complete", got, err)
			}
			last.finish(t)
			w.wantSettled(t)
			const again = copiesAtOnce * int64(1+saveEvery/time.Second+1)
			if n := counter.made - before; n > inSlowRanges+killed*again {
				t.Errorf("got %d copies of %d objects in %d kills, want at most %d again for each", n, inSlowRanges, killed, again)
			}
		}
	})
}

// wantCopied checks that every key that the progress record has settled has its copy, and that as
// many keys are settled as before. It returns how many are.
func (w *world) wantCopied(t *testing.T, before int) (settled int) {
	t.Helper()
	progress, ok, err := record.Unfinished(t.Context(), w.options.Store, "m")
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		progress.Settled = nil // killed before the first save
	}
	for _, key := range w.source.Keys() {
		open := 0
		for _, gap := range progress.Settled.Gaps() {
			if gap.Contains(key) {
				open++
			}
		}
		original, _ := w.source.Object(key)
		copied, _ := w.destination.Object(key)
		switch isSettled := progress.Settled.Contains(key); {
		case isSettled == (open > 0) || open > 1:
			t.Errorf("%s: settled %t and in %d open ranges, want it in exactly one", key, isSettled, open)
		case isSettled && copied.Checksum != original.Checksum:
			t.Fatalf("%s is settled with counts %+v, and its copy is %+v, want %+v", key, progress.Counts, copied, original)
		case isSettled:
			settled++
		}
	}
	if settled < before {
		t.Errorf("got %d keys settled, %d before this process", settled, before)
	}
	return settled
}

// TestDrainOfManyRanges drains passes at random times while 16 ranges are walked. It checks that all
// copies in flight end and are saved, and that the next pass copies each other key once.
func TestDrainOfManyRanges(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 1))
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := slowWorld(t)
		w.options.DrainTimeout = 10 * time.Minute
		s := w.open(t)
		for round := 1; round <= 8; round++ {
			time.Sleep(time.Hour)
			w.rewrite(inSlowRanges, round, func(int) bool { return true })
			before := w.copied()
			ctx, drain := context.WithCancel(t.Context())
			time.AfterFunc(time.Duration(random.Int64N(int64(30*time.Second))), drain)
			first, err := s.Run(ctx)
			if made := w.copied() - before; !errors.Is(err, syncer.ErrDrained) || first.Copied != made || first.SetAside() != 0 {
				t.Errorf("got %v, %d copied with %d requests, want the pass drained and all copies in flight made", err, first.Copied, made)
			}
			w.wantCopied(t, 0)
			second := mustRun(t, s)
			if n := w.copied() - before; first.Copied+second.Copied != inSlowRanges || n != inSlowRanges || !second.Resumed && first.Copied > 0 {
				t.Errorf("got %d copied and then %+v with %d requests, want each object copied once", first.Copied, second, n)
			}
			w.wantSettled(t)
		}
		if log := w.log.String(); strings.Contains(log, "level=ERROR") {
			t.Errorf("got errors in the log:\n%s", log)
		}
	})
}
