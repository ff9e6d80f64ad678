package daemon_test

import (
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/control"
	"syncd/internal/daemon"
	"syncd/internal/daemon/status"
)

// TestFailingLastsOverProcesses checks that a process that starts while passes fail shows since
// when they fail, and the passes since then.
func TestFailingLastsOverProcesses(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("k")
		d, stop := start(t, a.options("a", every(time.Minute), ""))
		time.Sleep(90 * s)
		if got := statusOf(t, d); got.State != status.Waiting {
			t.Fatalf("got %s, %+v, want a complete pass", got.State, got.Error)
		}
		a.deny()
		time.Sleep(3 * time.Minute)
		first := statusOf(t, d)
		if first.State != status.Failing || first.Error.Passes < 2 {
			t.Fatalf("got %s, %+v, want passes that fail", first.State, first.Error)
		}
		stop()
		d, stop = start(t, a.options("b", every(time.Minute), ""))
		time.Sleep(3 * time.Minute)
		second := statusOf(t, d)
		if apart := second.Since.Sub(first.Since).Abs(); second.State != status.Failing || apart > 5*s {
			t.Errorf("got %s since %s, want failing since %s, as before\n%s", second.State, second.Since, first.Since, a.log)
		}
		page := ask(t, d.Handler(), "/status").Body.String()
		if !strings.Contains(page, "<details class=\"history\"") || !strings.Contains(page, "<strong>failed</strong>") {
			t.Errorf("the page does not show the passes:\n%s", page)
		}
		stop()
	})
}

// TestAPausedMappingIsShownAsSuch checks that a paused mapping is shown as paused and needs no
// attention.
func TestAPausedMappingIsShownAsSuch(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		d, stop := start(t, a.options("a", every(time.Hour), ""))
		a.submit(t, request(control.Pause))
		time.Sleep(time.Minute)
		page := ask(t, d.Handler(), "/status").Body.String()
		for _, want := range []string{"No mapping needs attention.", `class="paused"`, "<strong>Paused</strong> by alice@laptop"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q:\n%s", want, page)
			}
		}
		stop()
	})
}

// TestFailingIsKnownBeforeAPass checks that a process whose first pass is far away or takes long
// shows since when passes fail, and which passes failed, as read from the history. A successful
// pass in another process ends the failure.
func TestFailingIsKnownBeforeAPass(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("k")
		heal := a.deny()
		d, stop := start(t, a.options("a", every(time.Minute), ""))
		time.Sleep(170 * s)
		first := statusOf(t, d)
		stop()

		o := a.options("b", every(12*time.Hour), "")
		d, stop = start(t, o)
		time.Sleep(5 * s)
		a.checkRemembered(t, o, statusOf(t, d), first, status.Waiting)
		if got := statusOf(t, d); !got.Ready || got.LastPass != nil {
			t.Errorf("got %+v, want the mapping ready: no request of this process was refused", got)
		}
		stop()

		o = a.options("c", every(12*time.Hour), "")
		o.Mappings[0].AtOnce = true
		heal()
		a.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "owner-data", Kind: awsfake.None, Do: func() { time.Sleep(30 * s) }})
		d, stop = start(t, o)
		time.Sleep(10 * s)
		a.checkRemembered(t, o, statusOf(t, d), first, status.Running)
		time.Sleep(time.Minute)
		if got := statusOf(t, d); got.State != status.Waiting || got.Error != nil || value(t, o.Gatherer, "syncd_failing_since_timestamp_seconds", "m") != 0 {
			t.Errorf("got %s, %+v after a pass that reached its end", got.State, got.Error)
		}
		stop()
	})
}

func (a *asked) checkRemembered(t *testing.T, o daemon.Options, got, first status.Mapping, activity status.State) {
	t.Helper()
	if first.State != status.Failing || got.State != status.Failing || got.Activity != activity || got.Since.Sub(first.Since).Abs() > 5*s {
		t.Fatalf("got %s since %s and %s, want failing since %s, as before, and %s\n%s", got.State, got.Since, got.Activity, first.Since, activity, a.log)
	}
	if got.Error.Passes != first.Error.Passes || got.Error.Class != first.Error.Class || got.Error.Text == "" || len(got.History) == 0 {
		t.Errorf("got %+v and %d passes in the history, want the earlier failure, %+v", got.Error, len(got.History), first.Error)
	}
	if v := value(t, o.Gatherer, "syncd_failing_since_timestamp_seconds", "m"); v != float64(got.Since.UnixMilli())/1000 {
		t.Errorf("got the metric %v, want %v", v, got.Since.Unix())
	}
}

// TestAPassElsewhereEndsAFailure checks that a successful pass in another process ends a known
// failure, with and without a schedule.
func TestAPassElsewhereEndsAFailure(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("k")
		heal := a.deny()
		_, stop := start(t, a.options("a", every(time.Minute), ""))
		time.Sleep(2 * time.Minute)
		stop()
		d, stop := start(t, a.options("b", nil, ""))
		time.Sleep(5 * s)
		if got := statusOf(t, d); got.State != status.Failing || got.Activity != status.Unscheduled {
			t.Errorf("got %s and %s, want it failing", got.State, got.Activity)
		}
		heal()
		_, stopOther := start(t, a.options("c", every(time.Minute), ""))
		time.Sleep(2 * time.Minute)
		stopOther()
		time.Sleep(5 * time.Minute)
		if got := statusOf(t, d); got.State != status.Unscheduled || got.Error != nil {
			t.Errorf("got %s, %+v, want no failure any more\n%s", got.State, got.Error, a.log)
		}
		stop()
	})
}

// TestAPauseHidesNothing checks that a pause hides neither failed passes nor objects in quarantine.
func TestAPauseHidesNothing(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("k")
		heal := a.deny()
		o := a.options("a", every(time.Minute), "")
		d, stop := start(t, o)
		time.Sleep(3 * time.Minute)
		a.submit(t, request(control.Pause))
		time.Sleep(time.Minute)
		if got := statusOf(t, d); got.State != status.Failing || got.Activity != status.Paused || got.NextPass != nil {
			t.Errorf("got %s and %s, want it failing and paused", got.State, got.Activity)
		}
		page := ask(t, d.Handler(), "/status").Body.String()
		for _, want := range []string{"1 mapping is failing: m.", "<title>1 failing", ">paused</span>", "<strong>Paused</strong> by alice@laptop"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page does not say %q:\n%s", want, page)
			}
		}
		heal()
		a.submit(t, request(control.Resume))
		time.Sleep(time.Minute)
		a.submit(t, request(control.Pause))
		time.Sleep(time.Minute)
		if got := statusOf(t, d); got.State != status.Paused || got.Activity != status.Paused {
			t.Errorf("got %s and %s, want it paused", got.State, got.Activity)
		}
		o.Board.Of("m").SetQuarantine(map[string]int64{"denied": 2})
		time.Sleep(2 * s)
		if got := statusOf(t, d); got.State != status.Quarantined || got.Activity != status.Paused {
			t.Errorf("got %s and %s, want it quarantined and paused", got.State, got.Activity)
		}
		stop()
	})
}
