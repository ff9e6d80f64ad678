package daemon_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/daemon"
)

// changing is a daemon whose mappings a test can change.
type changing struct {
	*daemon.Daemon
	o     daemon.Options
	apply func(...daemon.Mapping)
	stop  func()
}

func startChanging(t *testing.T, mappings ...daemon.Mapping) *changing {
	t.Helper()
	sets := make(chan []daemon.Mapping)
	o := options(mappings...)
	o.Watch = func(ctx context.Context, apply func([]daemon.Mapping)) {
		for {
			select {
			case <-ctx.Done():
				return
			case set := <-sets:
				apply(set)
			}
		}
	}
	d, stop := start(t, o)
	return &changing{d, o, func(set ...daemon.Mapping) { sets <- set; synctest.Wait() }, stop}
}

// names returns the displayed mappings with their activities.
func (c *changing) names() (names []string) {
	for _, m := range c.Snapshot().Mappings {
		names = append(names, m.Mapping+" "+string(m.Activity))
	}
	return names
}

func revised(m daemon.Mapping, revision int) daemon.Mapping {
	m.Revision = revision
	return m
}

// TestUnchangedMappingsGoOn checks that a change of some mappings, during or between passes, does
// not affect the unchanged mappings.
func TestUnchangedMappingsGoOn(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		working, waiting := &passes{took: 7 * s, origin: time.Now()}, &passes{took: s, origin: time.Now()}
		a, b := mapping("working", working), mapping("waiting", waiting)
		c := startChanging(t, a, b)
		time.Sleep(5 * s)
		c.apply(b, a)
		c.apply(a, b, mapping("new", &passes{took: s}))
		time.Sleep(20 * s)
		c.stop()
		want := []time.Duration{0, 10 * s, 20 * s}
		for name, p := range map[string]*passes{"working": working, "waiting": waiting} {
			if diff := cmp.Diff(want, p.began); diff != "" || p.closed != 1 {
				t.Errorf("%s: closed %d times, passes began at (-want +got):\n%s", name, p.closed, diff)
			}
		}
	})
}

// TestAChangedMappingEndsItsPassFirst checks that a changed mapping finishes its pass under the old
// configuration, releases the lease and continues.
func TestAChangedMappingEndsItsPassFirst(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		before, after := &passes{took: 7 * s, origin: time.Now()}, &passes{took: s, origin: time.Now()}
		c := startChanging(t, mapping("m", before))
		time.Sleep(5 * s)
		next := mapping("m", after)
		next.Open = func(context.Context) (daemon.Runner, error) {
			if before.closed != 1 {
				t.Errorf("when the new runner was opened, the former runner was closed %d times, want once", before.closed)
			}
			return after, nil
		}
		c.apply(revised(next, 1))
		if got := c.names(); !slices.Equal(got, []string{"m running"}) {
			t.Errorf("got %v while the pass under the former configuration ends, want it shown", got)
		}
		time.Sleep(14 * s)
		c.stop()
		if diff := cmp.Diff([]time.Duration{7 * s, 17 * s}, after.began); diff != "" || len(before.began) != 1 {
			t.Errorf("%d passes under the former configuration; under the new they began at (-want +got):\n%s", len(before.began), diff)
		}
	})
}

// TestAMappingChangedAgainOpensOnce checks that only the last of several changes during one pass
// takes effect.
func TestAMappingChangedAgainOpensOnce(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		first, second, third := &passes{took: 30 * s}, &passes{took: s}, &passes{took: s}
		c := startChanging(t, mapping("m", first))
		time.Sleep(s)
		c.apply(revised(mapping("m", second), 1))
		c.apply(revised(mapping("m", third), 2))
		time.Sleep(31 * s)
		c.stop()
		if len(first.began) != 1 || len(second.began) != 0 || len(third.began) == 0 {
			t.Errorf("got %d, %d and %d passes of the three configurations, want one, none and some", len(first.began), len(second.began), len(third.began))
		}
	})
}

// TestARemovedMappingDrains checks that a removed mapping drains and releases its lease, and that
// its metrics disappear.
func TestARemovedMappingDrains(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		gone, kept := &passes{took: time.Hour, drains: 3 * s}, &passes{took: s}
		c := startChanging(t, mapping("gone", gone), mapping("kept", kept))
		time.Sleep(s)
		c.apply(mapping("kept", kept))
		if diff := cmp.Diff([]string{"kept waiting", "gone draining"}, c.names()); diff != "" {
			t.Errorf("right after (-want +got):\n%s", diff)
		}
		if value(t, c.o.Gatherer, "syncd_next_pass_timestamp_seconds", "gone") == 0 {
			t.Error("got no metrics of the mapping while it drains, want metrics until the drain ends")
		}
		time.Sleep(4 * s)
		if diff := cmp.Diff([]string{"kept waiting"}, c.names()); diff != "" || gone.closed != 1 {
			t.Errorf("closed %d times; when it has drained (-want +got):\n%s", gone.closed, diff)
		}
		if got := value(t, c.o.Gatherer, "syncd_next_pass_timestamp_seconds", "gone"); got != 0 {
			t.Errorf("got %v in the metrics of a removed mapping, want nothing", got)
		}
		if value(t, c.o.Gatherer, "syncd_next_pass_timestamp_seconds", "kept") == 0 {
			t.Error("got no metrics of the mapping that stays")
		}
		c.stop()
	})
}

// TestAChangedMappingIsRemoved checks that a pass drains if its mapping is changed and then removed
// during the pass.
func TestAChangedMappingIsRemoved(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		former, next := &passes{took: time.Hour, drains: 2 * s}, &passes{took: s}
		c := startChanging(t, mapping("m", former))
		time.Sleep(s)
		c.apply(revised(mapping("m", next), 1))
		c.apply()
		time.Sleep(3 * s)
		if got := c.names(); len(got) != 0 || former.closed != 1 || len(next.began) != 0 {
			t.Errorf("got %v, closed %d times, %d passes under the next configuration; want no trace of the removed mapping", got, former.closed, len(next.began))
		}
		c.stop()
	})
}

// TestARemovedMappingComesBack checks that a mapping that is added again while it drains starts
// after the drain.
func TestARemovedMappingComesBack(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		former, back := &passes{took: time.Hour, drains: 5 * s}, &passes{took: s, origin: time.Now()}
		c := startChanging(t, mapping("m", former))
		time.Sleep(s)
		c.apply()
		c.apply(revised(mapping("m", back), 1))
		time.Sleep(6 * s)
		c.stop()
		if diff := cmp.Diff([]time.Duration{6 * s}, back.began); diff != "" || former.closed != 1 {
			t.Errorf("closed %d times; passes began at (-want +got):\n%s", former.closed, diff)
		}
	})
}

// TestRunDrainsWhatLeaves checks that the end of the daemon drains all passes in progress,
// including those of changed and removed mappings.
func TestRunDrainsWhatLeaves(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		removed, changed := &passes{took: time.Hour, drains: 5 * s}, &passes{took: time.Hour, drains: 5 * s}
		never := &passes{took: s}
		c := startChanging(t, mapping("removed", removed), mapping("changed", changed))
		time.Sleep(s)
		c.apply(revised(mapping("changed", never), 1))
		began := time.Now()
		c.stop()
		if got := time.Since(began); got != 5*s {
			t.Errorf("got an end after %s, want 5s, the duration of the drains", got)
		}
		if removed.closed != 1 || changed.closed != 1 || len(never.began) != 0 {
			t.Errorf("got %d and %d times closed, %d passes of a mapping that had not begun; want 1, 1, 0", removed.closed, changed.closed, len(never.began))
		}
	})
}
