package daemon_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/daemon"
	"syncd/internal/daemon/status"
	"syncd/internal/syncer"
	"syncd/internal/syncer/denial"
)

// moods is a Runner whose passes take a fixed time. Each pass ends with the next error of a list.
type moods struct {
	passes
	errs []error
}

func (m *moods) Run(ctx context.Context) (syncer.Summary, error) {
	summary, err := m.passes.Run(ctx)
	if err == nil && len(m.errs) > 0 {
		err, m.errs = m.errs[0], m.errs[1:]
	}
	return summary, err
}

// TestFailingLastsUntilAPassReachesItsEnd checks that a mapping is failing, since the first
// failure, until a pass reaches its end, however often it is retried. The page, the JSON, the
// filter, the readiness and the metric must agree.
func TestFailingLastsUntilAPassReachesItsEnd(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		denied := errors.New("list source: denied")
		o := options(mapping("m", &moods{passes{took: 4 * s}, []error{denied, denied, syncer.ErrDrained, nil}}))
		listed(o, "m")
		began := time.Now()
		d, stop := start(t, o)
		check := func(at time.Duration, state, activity status.State, since time.Duration) {
			t.Helper()
			time.Sleep(time.Until(began.Add(at)))
			got := statusOf(t, d)
			if got.State != state || got.Activity != activity || !got.Since.Equal(began.Add(since)) {
				t.Errorf("%s: got %s since %s, %s, want %s since %s, %s", at, got.State, got.Since.Sub(began), got.Activity, state, since, activity)
			}
			var metric float64
			if state == status.Failing {
				metric = float64(began.Add(since).Unix())
			}
			if got := value(t, o.Gatherer, "syncd_failing_since_timestamp_seconds", "m"); got != metric {
				t.Errorf("%s: got the metric %v, want %v", at, got, metric)
			}
			if n := d.Snapshot().Counts[state]; n != 1 {
				t.Errorf("%s: got %d mappings %s, want 1", at, n, state)
			}
			var filtered status.Snapshot
			if err := json.Unmarshal(ask(t, d.Handler(), "/status.json?state="+string(state)).Body.Bytes(), &filtered); err != nil || len(filtered.Mappings) != 1 {
				t.Errorf("%s: got %v, %v with the state chosen, want the mapping", at, filtered.Mappings, err)
			}
			if _, answer := readiness(t, d); answer.Mappings[0].State != state {
				t.Errorf("%s: got %s of /readyz, want %s", at, answer.Mappings[0].State, state)
			}
		}
		check(2*s, status.Running, status.Running, 0)
		check(6*s, status.Failing, status.Waiting, 4*s)
		check(12*s, status.Failing, status.Running, 4*s)
		page := ask(t, d.Handler(), "/status").Body.String()
		for _, want := range []string{"<title>1 failing · syncd status</title>", "1 mapping is failing: m.", "retry running"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q:\n%s", want, page)
			}
		}
		check(22*s, status.Failing, status.Running, 4*s)
		// The pass drained, which does not end the failure.
		check(26*s, status.Failing, status.Waiting, 4*s)
		check(32*s, status.Failing, status.Running, 4*s)
		check(36*s, status.Waiting, status.Waiting, 34*s)
		stop()
	})
}

// TestFailingLastsOverARestart checks that a mapping, after a restart, has been failing since the
// first refusal that an earlier process recorded in the ledger.
func TestFailingLastsOverARestart(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		since := time.Now().Add(-26 * time.Hour).UTC()
		o := options(mapping("m", &passes{took: s, err: &denial.Error{InTurn: 3, Since: since, Err: errors.New("denied")}}))
		d, stop := start(t, o)
		time.Sleep(5 * s)
		if got := statusOf(t, d); got.State != status.Failing || !got.Since.Equal(since) || !got.Error.Since.Equal(since) || got.LastPass.Result != "denied" {
			t.Errorf("got %s since %s, %+v, want it failing since %s", got.State, got.Since, got.Error, since)
		}
		if got := value(t, o.Gatherer, "syncd_failing_since_timestamp_seconds", "m"); got != float64(since.Unix()) {
			t.Errorf("got the metric %v, want %v", got, since.Unix())
		}
		if page := ask(t, d.Handler(), "/status").Body.String(); !strings.Contains(page, ">1 d 2 h ago</time>, the last <time") {
			t.Errorf("the page does not say since when:\n%s", page)
		}
		stop()
	})
}

// TestStatesThatAreNotFine checks that mappings with objects in quarantine, without a complete
// listing or without a schedule are not shown as waiting.
func TestStatesThatAreNotFine(t *testing.T) {
	tests := []struct {
		name            string
		edit            func(m *daemon.Mapping)
		fill            func(o daemon.Options)
		state, activity status.State
	}{
		{"nothing is known", nil, nil, status.Unknown, status.Waiting},
		{"the first pass", func(m *daemon.Mapping) { m.AtOnce = true }, nil, status.Unknown, status.Running},
		{"listed", nil, func(o daemon.Options) { listed(o, "m") }, status.Waiting, status.Waiting},
		{"in quarantine", nil, func(o daemon.Options) {
			listed(o, "m")
			o.Board.Of("m").SetQuarantine(map[string]int64{"denied": 2})
		}, status.Quarantined, status.Waiting},
		{"no longer in quarantine", nil, func(o daemon.Options) {
			listed(o, "m")
			o.Board.Of("m").SetQuarantine(map[string]int64{"denied": 0})
		}, status.Waiting, status.Waiting},
		{"in quarantine, and in a pass", func(m *daemon.Mapping) { m.AtOnce = true }, func(o daemon.Options) {
			listed(o, "m")
			o.Board.Of("m").SetQuarantine(map[string]int64{"archived": 1})
		}, status.Quarantined, status.Running},
		{"no schedule", func(m *daemon.Mapping) { m.Schedule = nil }, nil, status.Unscheduled, status.Unscheduled},
		{"no schedule, in quarantine", func(m *daemon.Mapping) { m.Schedule = nil }, func(o daemon.Options) {
			o.Board.Of("m").SetQuarantine(map[string]int64{"archived": 1})
		}, status.Quarantined, status.Unscheduled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				m := mapping("m", &passes{took: time.Hour})
				m.AtOnce, m.Schedule = false, every(time.Hour)
				if tt.edit != nil {
					tt.edit(&m)
				}
				o := options(m)
				if tt.fill != nil {
					tt.fill(o)
				}
				d, stop := start(t, o)
				time.Sleep(31 * s) // states are updated from the figures twice a minute
				if got := statusOf(t, d); got.State != tt.state || got.Activity != tt.activity || got.Since.IsZero() {
					t.Errorf("got %s since %s, %s, want %s, %s", got.State, got.Since, got.Activity, tt.state, tt.activity)
				}
				if _, answer := readiness(t, d); answer.Mappings[0].State != tt.state {
					t.Errorf("got %s of /readyz, want %s", answer.Mappings[0].State, tt.state)
				}
				stop()
			})
		})
	}
}

// TestUnknownIsNotZero checks that unknown values are absent from the JSON and shown as unknown on
// the page.
func TestUnknownIsNotZero(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		o := options(mapping("m", &passes{took: time.Hour}))
		d, stop := start(t, o)
		fields := func() map[string]any {
			t.Helper()
			var answer struct{ Mappings []map[string]any }
			if err := json.Unmarshal(ask(t, d.Handler(), "/status.json").Body.Bytes(), &answer); err != nil {
				t.Fatal(err)
			}
			return answer.Mappings[0]
		}
		names := []string{"oldest_unsynced_seconds", "generation", "entries", "backlog_objects", "backlog_bytes", "quarantine", "concurrency", "last_success", "last_listing"}
		before := fields()
		for _, name := range names {
			if got, ok := before[name]; ok {
				t.Errorf("got %s %v before anything is known, want none", name, got)
			}
		}
		page := ask(t, d.Handler(), "/status").Body.String()
		if got := strings.Count(page, "unknown</"); got < 6 {
			t.Errorf("got %d times unknown on the page, want it for each figure:\n%s", got, page)
		}
		listed(o, "m")
		m := o.Board.Of("m")
		m.AskOldest(func() (float64, bool) { return 0, true })
		m.AskConcurrency(func() int64 { return 0 })
		m.SetLastSuccess(time.Unix(1, 0))
		m.SetLedger(1, 0)
		m.SetBacklog(0, 0)
		time.Sleep(s)
		after := fields()
		for _, name := range names {
			if got, ok := after[name]; !ok || got == nil {
				t.Errorf("got no %s when it is known to be 0, want 0", name)
			}
		}
		if page := ask(t, d.Handler(), "/status").Body.String(); strings.Contains(page, "unknown</") {
			t.Errorf("got unknown on the page for what is known:\n%s", page)
		}
		stop()
	})
}

// recalling is a Runner that can read its ledger.
type recalling struct {
	*passes
	mu    sync.Mutex
	reads []time.Duration
	hangs bool
}

func (r *recalling) Recall(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads = append(r.reads, time.Since(r.origin))
	if r.hangs {
		<-ctx.Done()
	}
}

// Holds reports that this process holds the lease from its first pass on.
func (r *recalling) Holds() bool { return len(r.starts()) > 0 }

func (r *recalling) read() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Duration(nil), r.reads...)
}

// TestLedgersAreReadWithoutPasses checks that a ledger is read from the start while the lease is
// not held, and that reading it does not delay passes.
func TestLedgersAreReadWithoutPasses(t *testing.T) {
	const m = time.Minute
	for name, tt := range map[string]struct {
		edit        func(m *daemon.Mapping, r *recalling)
		least, most int // number of readings in 21 minutes
		passes      []time.Duration
	}{
		"before a pass that is an hour away": {func(m *daemon.Mapping, _ *recalling) { m.Schedule = every(time.Hour) }, 5, 6, nil},
		"without schedule":                   {func(m *daemon.Mapping, _ *recalling) { m.Schedule = nil }, 5, 6, nil},
		"a store that hangs":                 {func(m *daemon.Mapping, r *recalling) { m.Schedule, r.hangs = every(16*time.Minute), true }, 1, 1 << 10, []time.Duration{16 * m}},
		"a pass at once":                     {func(m *daemon.Mapping, _ *recalling) { m.AtOnce, m.Schedule = true, every(16*time.Minute) }, 0, 1, []time.Duration{0, 16 * m}},
		"waiting in line":                    {func(m *daemon.Mapping, r *recalling) { m.AtOnce, r.readies = true, time.Hour }, 5, 6, nil},
	} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				r := &recalling{passes: &passes{took: s, origin: time.Now()}}
				m := mapping("m", r)
				m.AtOnce = false
				tt.edit(&m, r)
				_, stop := start(t, options(m))
				time.Sleep(21 * time.Minute)
				reads := r.read()
				if len(reads) < tt.least || len(reads) > tt.most || len(reads) > 0 && reads[0] != 0 {
					t.Errorf("got readings at %v, want %d to %d, the first at once", reads, tt.least, tt.most)
				}
				if diff := cmp.Diff(tt.passes, r.starts()); diff != "" {
					t.Errorf("passes (-want +got):\n%s", diff)
				}
				stop()
			})
		})
	}
}

// TestLedgersAreReadWhileStandingBy checks that a process that is standing by shows the ledger of
// the other process.
func TestLedgersAreReadWhileStandingBy(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		base := &passes{origin: time.Now()}
		r := &standing{recalling{passes: base}, heldFor{base, 1 << 60}}
		_, stop := start(t, options(mapping("m", r)))
		time.Sleep(21 * time.Minute)
		last := time.Duration(0)
		for _, at := range r.read() {
			if at-last > 6*time.Minute {
				t.Errorf("got no reading between %s and %s, want one every 5 min", last, at)
			}
			last = at
		}
		if last < 15*time.Minute {
			t.Errorf("got the last reading at %s, want one every 5 min", last)
		}
		stop()
	})
}

// TestReadingsAreSpread checks that the ledgers of a fleet are not all read at the same time.
func TestReadingsAreSpread(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		var runners []*recalling
		var mappings []daemon.Mapping
		for i := range 100 {
			r := &recalling{passes: &passes{origin: time.Now()}}
			m := mapping(fmt.Sprint("m", i), r)
			m.AtOnce, m.Schedule = false, every(time.Hour)
			runners, mappings = append(runners, r), append(mappings, m)
		}
		_, stop := start(t, options(mappings...))
		time.Sleep(6 * time.Minute)
		stop()
		inMinute := map[time.Duration]int{}
		for _, r := range runners {
			reads := r.read()
			if len(reads) < 2 {
				t.Fatalf("got readings at %v, want at least two", reads)
			}
			inMinute[reads[1].Truncate(time.Minute)]++
		}
		for at, n := range inMinute {
			if n > 40 {
				t.Errorf("got %d of 100 readings in the minute after %s, want them spread over five", n, at)
			}
		}
	})
}

// standing is a Runner of a mapping whose lease another process holds.
type standing struct {
	recalling
	held heldFor
}

func (r *standing) Run(ctx context.Context) (syncer.Summary, error) { return r.held.Run(ctx) }

// TestWorstComesFirst checks that the page shows mappings that need attention first, and all other
// mappings by name.
func TestWorstComesFirst(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		o := options(
			mapping("a-waits", &passes{took: s}), mapping("b-runs", &passes{took: time.Hour}), mapping("c-unknown", &passes{took: s}),
			mapping("d-aside", &passes{took: s}), mapping("e-hangs", &passes{took: 1 << 60, drains: time.Hour}), mapping("f-fails", &passes{took: s, err: errors.New("x")}),
			mapping("g-fails", &passes{took: s, err: errors.New("x")}),
		)
		listed(o, "a-waits", "b-runs", "d-aside", "e-hangs")
		o.Board.Of("d-aside").SetQuarantine(map[string]int64{"denied": 1})
		d, stop := start(t, o)
		for range 32 {
			time.Sleep(30 * s)
			o.Board.Of("b-runs").Beat()
		}
		time.Sleep(5 * s)
		page := ask(t, d.Handler(), "/status").Body.String()
		var got []string
		for _, part := range strings.Split(page, `<tr id="row-`)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			got = append(got, name)
		}
		want := []string{"f-fails", "g-fails", "e-hangs", "d-aside", "c-unknown", "a-waits", "b-runs"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
		const summary = "2 mappings are failing: f-fails, g-fails. 1 is stalled. 1 has objects in quarantine. " +
			"1 has never been fully listed, so its state is unknown. 2 need no attention."
		if !strings.Contains(page, summary) || !strings.Contains(page, "<title>2 failing · 1 stalled · syncd status</title>") {
			t.Errorf("the page does not say %q in its summary, and the numbers in its title", summary)
		}
		stop()
	})
}

// TestThePageSaysWhatAPassKnows checks that a pass that has listed nothing yet is not shown as
// empty, and that a pass that failed before it began is not shown with a duration of 0 s.
func TestThePageSaysWhatAPassKnows(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		begins, ended := &passes{took: time.Hour}, &passes{took: time.Hour}
		begins.settle(syncer.Progress{})
		ended.settle(syncer.Progress{Complete: true})
		d, stop := start(t, options(mapping("begins", begins), mapping("empty", ended), mapping("early", &passes{unready: errors.New("x")})))
		time.Sleep(s)
		page := ask(t, d.Handler(), "/status").Body.String()
		for _, want := range []string{"nothing listed yet", "0 of 0 objects processed", "failed before it began", "none in this process"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q:\n%s", want, page)
			}
		}
		if strings.Contains(page, `max="0"`) {
			t.Error("got a bar of no length")
		}
		stop()
	})
}
