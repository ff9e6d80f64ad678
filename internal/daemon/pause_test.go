package daemon_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/control"
	"syncd/internal/daemon"
	"syncd/internal/daemon/status"
	"syncd/internal/syncer"
)

// TestAPauseHolds checks that a pause drains the pass, survives the process, applies to all
// replicas, refuses passes and releases the lease, and that the missed pass starts when the pause
// ends.
func TestAPauseHolds(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.fill(200)
		a.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.None, Do: func() { time.Sleep(4 * s) }})
		every := every(10 * time.Minute)
		o := a.options("a", every, "")
		o.Mappings[0].AtOnce = true
		d, stop := start(t, o)
		time.Sleep(5 * s)
		if got := statusOf(t, d); got.State != status.Running {
			t.Fatalf("got %s, want a pass", got.State)
		}
		r := a.submit(t, request(control.Pause))
		time.Sleep(time.Minute)
		if got := a.answer(t, r); got.Outcome != control.Done || !strings.Contains(got.Text, "pass in progress") {
			t.Errorf("got %+v, want it paused", got)
		}
		got := statusOf(t, d)
		if got.State != status.Paused || got.Paused == nil || got.Paused.Who != r.Who || got.NextPass != nil || !got.Ready {
			t.Errorf("got %+v, want it paused by %s, ready, and no next pass", got, r.Who)
		}
		if v := value(t, o.Gatherer, "syncd_mapping_paused", "m"); v != 1 {
			t.Errorf("got syncd_mapping_paused %v, want 1", v)
		}
		if passes := a.history(t); len(passes) != 1 || passes[0].Result != "drained" || passes[0].Trigger != syncer.TriggerStart {
			t.Errorf("got passes %+v, want the first drained", passes)
		}
		if _, held, err := checkpoint.LeaseOf(t.Context(), a.state(), "m"); held || err != nil {
			t.Errorf("got the lease held: %v, %v, want it free for a backfill", held, err)
		}
		shown := ask(t, d.Handler(), "/status").Body.String()
		for _, want := range []string{"<strong>Paused</strong> by alice@laptop since ", `<details class="history" id="history-m">`, "<strong>drained</strong>", "· start ·"} {
			if !strings.Contains(shown, want) {
				t.Errorf("got no %q on the page", want)
			}
		}
		trigger := a.submit(t, request(control.Trigger))
		again := a.submit(t, request(control.Pause))
		time.Sleep(20 * s)
		if got := a.answer(t, trigger); got.Outcome != control.Refused || !strings.Contains(got.Text, "paused by alice@laptop since") || got.Hint == "" {
			t.Errorf("got %+v, want a pass of a paused mapping refused", got)
		}
		if got := a.answer(t, again); got.Outcome != control.Done || !strings.Contains(got.Text, "already") {
			t.Errorf("got %+v, want a second pause to change nothing", got)
		}
		stop()

		o = a.options("b", every, "")
		o.Mappings[0].AtOnce = true
		d, stop = start(t, o)
		_, stopC := start(t, a.options("c", every, ""))
		time.Sleep(time.Hour)
		if got := statusOf(t, d); got.State != status.Paused || len(a.history(t)) != 1 {
			t.Errorf("got %s and %d passes after a restart, want it paused", got.State, len(a.history(t)))
		}
		began := time.Now()
		resume := a.submit(t, request(control.Resume))
		time.Sleep(2 * time.Minute)
		stop()
		stopC()
		if got := a.answer(t, resume); got.Outcome != control.Done {
			t.Errorf("got %+v, want it resumed", got)
		}
		passes := a.history(t)
		if len(passes) < 2 || passes[1].BeganAt.Sub(began) > 20*s {
			t.Errorf("got passes %+v, want the missed pass within 20 s after the end of the pause", passes)
		}
	})
}

// TestThePauseOfAReplicaThatStoodBy checks that the remaining replica can end a pause after the
// replica that held the lease is gone, and that a change of the configuration does not end a pause.
func TestThePauseOfAReplicaThatStoodBy(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("one")
		_, stopA := start(t, a.options("a", every(time.Minute), ""))
		time.Sleep(2 * time.Minute)
		o := a.options("b", every(time.Minute), "")
		changes := make(chan struct{})
		o.Watch = func(ctx context.Context, apply func([]daemon.Mapping)) {
			<-changes
			m := o.Mappings[0]
			m.Revision, m.AtOnce = 1, true
			apply([]daemon.Mapping{m})
			<-ctx.Done()
		}
		b, stopB := start(t, o)
		time.Sleep(2 * time.Minute)
		if got := statusOf(t, b); got.State != status.StandingBy {
			t.Fatalf("got %s, want the second replica to stand by", got.State)
		}
		pause := a.submit(t, request(control.Pause))
		time.Sleep(30 * s)
		if got := a.answer(t, pause); got.By != "a" || statusOf(t, b).State != status.Paused {
			t.Errorf("got %+v and %s, want the mapping paused by the holder of the lease, and shown as paused by the other replica", got, statusOf(t, b).State)
		}
		stopA()
		before := len(a.history(t))
		close(changes)
		time.Sleep(5 * time.Minute)
		if got := statusOf(t, b); got.State != status.Paused || len(a.history(t)) != before {
			t.Errorf("got %s and %d more passes, want the mapping still paused", got.State, len(a.history(t))-before)
		}
		resume := a.submit(t, request(control.Resume))
		time.Sleep(30 * s)
		if got := a.answer(t, resume); got.By != "b" || len(a.history(t)) == before {
			t.Errorf("got %+v and no pass, want the mapping resumed by the remaining replica", got)
		}
		stopB()
	})
}

// TestNoPassBeforeThePauseIsKnown checks that no pass begins before the state was read for pauses.
func TestNoPassBeforeThePauseIsKnown(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("one")
		if _, err := a.desk.Pause(t.Context(), request(control.Pause)); err != nil {
			t.Fatal(err)
		}
		a.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "consumer-state", Kind: awsfake.AccessDenied, Times: 3})
		o := a.options("a", every(10*s), "")
		o.Mappings[0].AtOnce = true
		d, stop := start(t, o)
		time.Sleep(2 * s)
		if got := statusOf(t, d); got.State != status.Failing || !strings.Contains(got.Error.Text, "look for requests in the state") {
			t.Errorf("got %+v, want failing, because the state cannot be read", got)
		}
		time.Sleep(10 * time.Minute)
		stop()
		if n := len(a.destination.Keys()); n != 0 {
			t.Errorf("got %d copies of a paused mapping", n)
		}
	})
}
