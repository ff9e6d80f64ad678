package copier_test

import (
	"fmt"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
)

// relayMemory is the memory for relays of a process, and most is the total memory that the process
// may use while it relays, both in bytes.
const relayMemory, most = 128 * mib, 256 * mib

// TestRelayInLittleMemory checks the peak memory use while four objects, each larger than the
// memory for relays, are relayed in parallel, by ranges and as streams.
func TestRelayInLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector uses extra memory; make test runs it")
	}
	for _, ranges := range []bool{true, false} {
		w, source := newOdd(t)
		source.ranges = ranges
		if got := w.peakOfRelays(t, 4, relayMemory+8*mib); got > most {
			t.Errorf("ranges %v: got %d MiB in use at the peak, want at most %d", ranges, got>>20, most>>20)
		}
	}
}

// BenchmarkRelayOfGibibytes shows that larger objects use no more memory.
func BenchmarkRelayOfGibibytes(b *testing.B) {
	for b.Loop() {
		got := newWorld(b).peakOfRelays(b, 8, 1<<30)
		b.ReportMetric(float64(got>>20), "peak-MiB")
		if got > most {
			b.Errorf("got %d MiB in use at the peak, want at most %d", got>>20, most>>20)
		}
	}
}

// peakOfRelays relays objects in parallel and returns the peak memory use. The memory limit of the
// runtime is set so that little garbage accumulates. The reachable memory, including that of the
// fake and the SDK, must be well below the limit.
func (w *world) peakOfRelays(tb testing.TB, objects int, size int64) uint64 {
	tb.Helper()
	debug.FreeOSMemory()
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(most - 32*mib))
	w.relaying(relayMemory)
	w.options.PartSize = 0
	w.options.Slots = slots(64)
	w.options.Destination = w.clientAt("https://aws.invalid") // as in production, content is not hashed for the signature
	c := copier.New(w.options)
	peak := watchMemory()
	var copies errgroup.Group
	for i := range objects {
		object := w.put(fmt.Sprint("k", i), awsfake.SyntheticBody(size, uint64(i)), awsfake.PutOptions{})
		copies.Go(func() error {
			_, _, err := c.Copy(tb.Context(), object, copier.Target{}, nil)
			return err
		})
	}
	if err := copies.Wait(); err != nil {
		tb.Fatal(err)
	}
	return peak()
}

// watchMemory samples the memory that the runtime uses. Peak ends the sampling and returns the
// maximum.
func watchMemory() (peak func() uint64) {
	stop, worst := make(chan struct{}), make(chan uint64)
	go func() {
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		high := uint64(0)
		for {
			high = max(high, memoryInUse())
			select {
			case <-ticker.C:
			case <-stop:
				worst <- high
				return
			}
		}
	}()
	return func() uint64 {
		close(stop)
		return <-worst
	}
}

func memoryInUse() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
