package checkpoint_test

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store/s3/s3test"
)

// The number of entries in TestVolume. The make target millions sets 5,000,000.
var volumeEntries = flag.Int("volume-entries", 100_000, "how many entries the ledger of TestVolume has")

// traffic counts the bytes of the chunks that are read, and of everything that is written.
type traffic struct {
	next          http.RoundTripper
	read, written atomic.Int64
}

func (c *traffic) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.ContentLength > 0 {
		c.written.Add(r.ContentLength)
	}
	res, err := c.next.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet && !r.URL.Query().Has("list-type") {
		res.Body = countedBody{res.Body, &c.read}
	}
	return res, err
}

type countedBody struct {
	io.ReadCloser
	n *atomic.Int64
}

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n.Add(int64(n))
	return n, err
}

// volume is a ledger of many entries on S3, where each request takes 20 ms.
type volume struct {
	t       *testing.T
	entries int
	state   *s3test.State
	wire    *traffic
}

func volumeKey(i int) string { return fmt.Sprintf("exports/2026/%06d/part-%04d.parquet", i/100, i%100) }

// pass runs a pass that walks 16 ranges at once and records the entries that isChanged selects.
func (v *volume) pass(ledger *checkpoint.Ledger, isChanged func(i int) bool) {
	v.t.Helper()
	pass, err := ledger.Begin(v.t.Context())
	if err != nil {
		v.t.Fatal(err)
	}
	ranges := divide(pass.Bounds(16, 1))
	var walks sync.WaitGroup
	for _, r := range ranges {
		walks.Go(func() {
			if err := v.walk(pass, r, isChanged); err != nil {
				v.t.Error(err)
			}
		})
	}
	walks.Wait()
	if _, err := pass.Commit(v.t.Context()); err != nil {
		v.t.Fatal(err)
	}
}

func divide(bounds []string) (ranges []record.Range) {
	after := ""
	for _, bound := range bounds {
		ranges = append(ranges, record.Range{After: after, Until: bound})
		after = bound
	}
	return append(ranges, record.Range{After: after})
}

// walk settles the keys of one range. If the ledger is empty, it records all entries.
func (v *volume) walk(pass *checkpoint.Pass, r record.Range, isChanged func(i int) bool) error {
	ctx, walk := v.t.Context(), pass.Walk(r.After)
	finder := pass.Finder(ctx, r.After)
	defer finder.Close()
	for i := range v.entries {
		key := volumeKey(i)
		if !r.Contains(key) {
			continue
		}
		rows, err := finder.Find(key)
		if err != nil {
			return err
		}
		slot, err := walk.Reserve(ctx, key, rows)
		if err != nil {
			return err
		}
		if isChanged(i) {
			slot.Record(entry(key, fmt.Sprintf("%032x%d", uint64(i)*0x9e3779b97f4a7c15, pass.Number()))) //nolint:gosec // not negative
		} else {
			slot.Carry(*rows.Entry)
		}
		if err := pass.FlushDue(ctx); err != nil {
			return err
		}
		if i%4096 == 0 {
			if err := pass.MergeSaved(ctx); err != nil {
				return err
			}
		}
	}
	walk.End(r.Until)
	return nil
}

// open opens the ledger.
func (v *volume) open() *checkpoint.Ledger {
	v.t.Helper()
	ledger, err := checkpoint.Open(v.t.Context(), v.state.Store(v.wire), options())
	if err != nil {
		v.t.Fatal(err)
	}
	return ledger
}

func (v *volume) close(ledger *checkpoint.Ledger) {
	v.t.Helper()
	if err := ledger.Close(); err != nil {
		v.t.Fatal(err)
	}
}

// TestVolume measures a large ledger on S3 at 20 ms a request: how long it takes to open it, how
// much an unchanged pass reads, and how much passes write that change 1 % of the entries, scattered
// or in a row.
func TestVolume(t *testing.T) {
	n := *volumeEntries
	s3test.LedgerBubble(t, func(t *testing.T) { //nolint:thelper // it is the test
		v := &volume{t: t, entries: n, state: s3test.New()}
		v.wire = &traffic{next: v.state.Cloud.RoundTripper()}
		ledger := v.open()
		v.pass(ledger, func(int) bool { return true })
		v.close(ledger)
		size := v.state.Stored(t)
		perEntry := float64(size) / float64(n)
		t.Logf("%d entries in %d bytes, %.0f an entry", n, size, perEntry)

		v.state.Cloud.SetLatency(20 * time.Millisecond)
		start := time.Now()
		ledger = v.open()
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("opened in %v, want at most 2 s", took)
		} else {
			t.Logf("opened in %v", took)
		}
		v.wire.read.Store(0)
		v.wire.written.Store(0)
		start = time.Now()
		v.pass(ledger, func(int) bool { return false })
		t.Logf("an unchanged pass read %.3f times the ledger in %v, and wrote %d bytes", float64(v.wire.read.Load())/float64(size), time.Since(start), v.wire.written.Load())
		if read := v.wire.read.Load(); read > size {
			t.Errorf("an unchanged pass read %d bytes of a ledger of %d, want each at most once", read, size)
		}
		for _, tt := range []struct {
			name      string
			isChanged func(i int) bool
		}{
			{"scattered", func(i int) bool { return i%100 == 7 }},
			{"in a row", func(i int) bool { return i >= n/2 && i < n/2+n/100 }},
		} {
			v.wire.written.Store(0)
			v.pass(ledger, tt.isChanged)
			written := float64(v.wire.written.Load())
			amplification := written / (perEntry * float64(n/100))
			t.Logf("1 %% changed, %s: wrote %.0f bytes, %.2f times the rows", tt.name, written, amplification)
			if amplification >= 3 {
				t.Errorf("1 %% changed, %s: wrote %.2f times the rows, want less than 3", tt.name, amplification)
			}
		}
		v.close(ledger)
	})
}
