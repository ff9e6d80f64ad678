package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	"syncd/internal/daemon"
	"syncd/internal/daemon/line"
	"syncd/internal/daemon/status"
)

// bounded returns the options of a daemon with the given number of places.
func bounded(places int, mappings ...daemon.Mapping) daemon.Options {
	o := options(mappings...)
	o.Line = line.New(places, o.Metrics)
	return o
}

// fleet returns n mappings whose passes take the given time.
func fleet(n int, took time.Duration) (runners []*passes, mappings []daemon.Mapping) {
	for i := range n {
		runners = append(runners, &passes{took: took, origin: time.Now()})
		mappings = append(mappings, mapping(fmt.Sprintf("m%d", i), runners[i]))
	}
	return runners, mappings
}

// gauge returns the value of a metric without labels.
func gauge(t *testing.T, g prometheus.Gatherer, name string) float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("got no metric %s", name)
	return 0
}

// TestPlacesBoundPassesAndAreFair checks that, with more mappings due than places, no more passes
// run than there are places, and all mappings have equally many passes.
func TestPlacesBoundPassesAndAreFair(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		const mappings, places = 9, 2
		runners, all := fleet(mappings, 7*s)
		o := bounded(places, all...)
		d, stop := start(t, o)
		time.Sleep(s / 2) // passes begin and end at full seconds
		for range 120 {
			time.Sleep(s)
			active := 0
			for _, r := range runners {
				if _, is := r.Progress(); is {
					active++
				}
			}
			if got := d.Snapshot().Passes; active != places || got.Limit != places || got.Running != places {
				t.Fatalf("got %d passes, shown %+v, want %d", active, got, places)
			}
		}
		if running, waiting := gauge(t, o.Gatherer, "syncd_passes_running"), gauge(t, o.Gatherer, "syncd_passes_waiting"); running != places || waiting != mappings-places {
			t.Errorf("got %v passes running and %v waiting in the metrics, want %d and %d", running, waiting, places, mappings-places)
		}
		stop()
		const round = (mappings + places - 1) / places * 7 * s // time for one pass of each mapping
		for i, r := range runners {
			last := time.Duration(0)
			for _, began := range append(r.starts(), 120*s) {
				if began-last > round {
					t.Errorf("mapping %d: got passes at %v, want one at least every %s", i, r.starts(), round)
				}
				last = began
			}
		}
		if running, waiting := gauge(t, o.Gatherer, "syncd_passes_running"), gauge(t, o.Gatherer, "syncd_passes_waiting"); running != 0 || waiting != 0 {
			t.Errorf("got %v passes running and %v waiting after the drain, want none", running, waiting)
		}
	})
}

// TestTheLineIsShown checks that waiting mappings are shown with their position and time, and
// counted.
func TestTheLineIsShown(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		origin := time.Now().UTC()
		runners, all := fleet(4, time.Minute)
		for i, r := range runners {
			r.readies = time.Duration(i) * s // the mappings join the line one after the other
		}
		o := bounded(1, all...)
		d, stop := start(t, o)
		time.Sleep(10 * s)
		var got []string
		for _, m := range d.Snapshot().Mappings {
			shown := m.Mapping + " " + string(m.Activity)
			if m.Line != nil {
				shown += fmt.Sprintf(" %d %s", m.Line.Position, m.Line.Since.Sub(origin))
			}
			got = append(got, shown)
		}
		want := []string{"m0 running", "m1 queued 1 1s", "m2 queued 2 2s", "m3 queued 3 3s"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("mappings (-want +got):\n%s", diff)
		}
		for name, want := range map[string]float64{"m0": 0, "m1": 1, "m3": 1} {
			if got := value(t, o.Gatherer, "syncd_pass_waiting", name); got != want {
				t.Errorf("%s: got syncd_pass_waiting %v, want %v", name, got, want)
			}
		}
		time.Sleep(60 * s)
		if got := d.Snapshot().Mappings[2].Line; got == nil || got.Position != 1 {
			t.Errorf("got %+v a pass later, want the first position", got)
		}
		stop()
	})
}

// TestTheLineIsLeft checks that a mapping in line drains at once, that a mapping that is removed or
// changed leaves the line, and that its successor joins it again.
func TestTheLineIsLeft(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		runners, all := fleet(3, 40*s)
		after := &passes{took: s, origin: time.Now()}
		sets := make(chan []daemon.Mapping)
		o := bounded(1, all...)
		o.Watch = func(ctx context.Context, apply func([]daemon.Mapping)) {
			select {
			case <-ctx.Done():
			case set := <-sets:
				apply(set)
				<-ctx.Done()
			}
		}
		d, stop := start(t, o)
		time.Sleep(5 * s)
		first := slices.IndexFunc(runners, func(r *passes) bool { return len(r.starts()) == 1 })
		removed, changed := (first+1)%3, (first+2)%3
		next := revised(mapping(all[changed].Name, after), 1)
		sets <- []daemon.Mapping{all[first], next}
		synctest.Wait()
		time.Sleep(2 * s)
		if got := d.Snapshot(); len(got.Mappings) != 2 || got.Passes.Waiting != 1 {
			t.Errorf("got %d mappings, %+v, want the removed mapping gone and the changed mapping in line", len(got.Mappings), got.Passes)
		}
		time.Sleep(35 * s)
		if len(after.starts()) != 1 || len(runners[removed].starts())+len(runners[changed].starts()) != 0 {
			t.Errorf("got %v, and %d and %d passes of the mappings that left the line, want one and none", after.starts(), len(runners[removed].starts()), len(runners[changed].starts()))
		}
		asked := time.Now()
		stop()
		if took := time.Since(asked); took > 0 {
			t.Errorf("got %s for the drain of passes that end at once and of mappings in line, want none", took)
		}
	})
}

// TestPlacesChange checks that passes begin at once when places are added, and that after places
// are removed no pass begins until enough passes have ended.
func TestPlacesChange(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		_, all := fleet(6, 20*s)
		o := bounded(1, all...)
		d, stop := start(t, o)
		running := func() int64 { return d.Snapshot().Passes.Running }
		time.Sleep(2 * s)
		o.Line.SetLimit(4)
		time.Sleep(2 * s)
		if got := running(); got != 4 {
			t.Errorf("got %d passes with four places, want 4", got)
		}
		o.Line.SetLimit(2)
		time.Sleep(2 * s)
		if got := running(); got != 4 {
			t.Errorf("got %d passes right after two places were removed, want the 4 passes that had begun", got)
		}
		time.Sleep(20 * s)
		if got := running(); got != 2 {
			t.Errorf("got %d passes after those passes had ended, want 2", got)
		}
		stop()
	})
}

// TestWaitingTakesNoPlace checks that slow steps without work, such as an AssumeRole without a
// response or a held lease, do not occupy a place.
func TestWaitingTakesNoPlace(t *testing.T) {
	noRole := &awserr.CredentialsError{Role: "arn:aws:iam::111111111111:role/gone", Err: errors.New("no answer within 30s")}
	for name, unready := range map[string]error{
		"for credentials": noRole, "for a lease": &store.LeaseHeldError{Name: "m", Holder: "other/1"},
	} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				lively := &passes{took: s, origin: time.Now()}
				mappings := []daemon.Mapping{mapping("lively", lively)}
				for i := range 9 {
					mappings = append(mappings, mapping(fmt.Sprintf("dead-%d", i), &passes{readies: 30 * s, unready: unready}))
				}
				runFor(t, 65*s, bounded(1, mappings...))
				if diff := cmp.Diff([]time.Duration{0, 10 * s, 20 * s, 30 * s, 40 * s, 50 * s, 60 * s}, lively.starts()); diff != "" {
					t.Errorf("passes of the mapping next to nine blocked ones began at (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestALongPassGivesWay checks that a pass that takes days gives up its place to waiting mappings
// after its turn and resumes later, and that it keeps the place while no mapping waits.
func TestALongPassGivesWay(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		long, short := &passes{took: 48 * time.Hour, drains: 5 * s, origin: time.Now()}, &passes{took: s, origin: time.Now()}
		m := mapping("short", short)
		m.AtOnce, m.Schedule = false, every(time.Hour+s)
		o := bounded(1, mapping("long", long), m)
		o.Watchdog = 1 << 60
		d, stop := start(t, o)
		time.Sleep(time.Hour + 20*s)
		stop()
		if diff := cmp.Diff([]time.Duration{0, time.Hour + 11*s}, long.starts()); diff != "" {
			t.Errorf("the long pass began and resumed at (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]time.Duration{time.Hour + 10*s}, short.starts()); diff != "" {
			t.Errorf("the short pass began at (-want +got):\n%s", diff)
		}
		if got := d.Snapshot().Mappings[0]; got.Error != nil || got.LastPass.Result != "drained" {
			t.Errorf("got %+v, %+v, want no failure", got.Error, got.LastPass)
		}
	})
}

// TestOnePassGivesWayToOne checks that only one of four long passes gives up its place while one
// mapping waits. The mapping of that pass then waits itself, so a second pass may follow.
func TestOnePassGivesWayToOne(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		long, mappings := fleet(4, 48*time.Hour)
		for _, p := range long {
			p.drains = 20 * s // longer than the interval at which passes check for waiting mappings
		}
		short := &passes{took: s, origin: time.Now()}
		m := mapping("short", short)
		m.AtOnce, m.Schedule = false, every(time.Hour+s)
		o := bounded(4, append(mappings, m)...)
		o.Watchdog = 1 << 60
		_, stop := start(t, o)
		time.Sleep(time.Hour + time.Minute)
		stop()
		resumed := 0
		for _, p := range long {
			resumed += len(p.starts()) - 1
		}
		if n := len(short.starts()); n != 1 || resumed < 1 || resumed > 2 {
			t.Errorf("got %d short passes and %d resumed long passes, want 1, and 1 or 2", n, resumed)
		}
	})
}

// TestDeadCredentialsAreAskedLessOften checks that failures that only an operator can fix are
// retried at growing intervals, each shown as the next pass, and that the schedule does not change.
func TestDeadCredentialsAreAskedLessOften(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		origin := time.Now()
		tries := &tried{origin: origin, passes: &passes{unready: &awserr.CredentialsError{Role: "r", Err: errors.New("denied")}}}
		o := options(mapping("m", tries))
		d, stop := start(t, o)
		time.Sleep(20 * time.Minute)
		want := []time.Duration{0, 30 * s, 90 * s, 210 * s, 450 * s, 750 * s, 1050 * s}
		if diff := cmp.Diff(want, tries.tries()); diff != "" {
			t.Errorf("tried at (-want +got):\n%s", diff)
		}
		got := statusOf(t, d)
		if got.Schedule != "@every 10s" || got.NextPass == nil || !got.NextPass.Equal(origin.Add(1350*s)) || got.State != status.Failing {
			t.Errorf("got %s, schedule %s, next %v, want failing, the schedule unchanged and the next try at 22m30s", got.State, got.Schedule, got.NextPass)
		}
		if got := value(t, o.Gatherer, "syncd_passes_total", "m"); got != 7 {
			t.Errorf("got %v failed passes in the metrics, want 7", got)
		}
		tries.mend()
		time.Sleep(165 * s)
		if got := statusOf(t, d); got.State == status.Failing || got.Activity != status.Waiting || got.Error != nil {
			t.Errorf("got %s, %s, %+v after it was mended, want waiting without an error", got.State, got.Activity, got.Error)
		}
		stop()
		if n := len(tries.starts()); n != 2 {
			t.Errorf("got %d passes 165 s after the repair, 10 s after the first success, want two: the schedule applies again", n)
		}
	})
}

// tried records when Ready was called.
type tried struct {
	*passes
	origin time.Time
	at     []time.Duration
}

func (r *tried) Ready(ctx context.Context) error {
	r.mu.Lock()
	r.at = append(r.at, time.Since(r.origin))
	r.mu.Unlock()
	return r.passes.Ready(ctx)
}

func (r *tried) tries() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.at)
}

func (r *tried) mend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unready, r.passes.origin = nil, time.Now()
}

// TestManyStartOneAfterTheOther checks that the starts of many mappings are spread over minutes,
// and that a few start at once.
func TestManyStartOneAfterTheOther(t *testing.T) {
	for mappings, most := range map[int]time.Duration{1: 0, 10: 0, 110: 10 * s, 1000: 99 * s, 4000: 5 * time.Minute} {
		if testing.Short() && mappings > 110 {
			continue // so many mappings are too slow under the race detector
		}
		t.Run(fmt.Sprint(mappings), func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				var all []daemon.Mapping
				var runners []*passes
				for i := range mappings {
					runners = append(runners, &passes{took: s, origin: time.Now()})
					m := mapping(fmt.Sprintf("tenant-%04d", i), runners[i])
					m.Schedule = every(time.Hour)
					all = append(all, m)
				}
				runFor(t, most+s, options(all...))
				busiest, last := busiest(runners)
				if last > most || last < most/2 {
					t.Errorf("got the last start after %s, want within %s", last, most)
				}
				if limit := max(10, 2*mappings/(int(most/s)+1)); busiest > limit {
					t.Errorf("got %d starts in one second, want at most %d", busiest, limit)
				}
			})
		})
	}
}

// busiest returns the maximum number of first passes that began within one second, and when the
// last one began.
func busiest(runners []*passes) (most int, last time.Duration) {
	seconds := map[time.Duration]int{}
	for _, r := range runners {
		first := r.starts()[0]
		seconds[first.Truncate(s)]++
		most, last = max(most, seconds[first.Truncate(s)]), max(last, first)
	}
	return most, last
}

// TestAStartIsNotLaterThanATick checks that the start of a mapping is not delayed beyond its first
// tick.
func TestAStartIsNotLaterThanATick(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		runners, all := fleet(110, s)
		for i := range all {
			all[i].Schedule = every(3 * s)
		}
		runFor(t, 15*s, options(all...))
		if _, last := busiest(runners); last > 3*s {
			t.Errorf("got a first pass after %s, want it within the interval of 3s", last)
		}
	})
}
