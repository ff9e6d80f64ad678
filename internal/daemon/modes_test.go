package daemon_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/control"
	"syncd/internal/daemon/status"
)

// TestAnOldRequestUndoesNoLaterOne checks that a pending resume does not undo a later, acknowledged
// pause, and that the log names the user who resumed a mapping even if the resume was written to
// the state without a daemon.
func TestAnOldRequestUndoesNoLaterOne(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("one")
		old := a.submit(t, request(control.Resume))
		time.Sleep(time.Millisecond)
		pause := request(control.Pause)
		if _, err := a.desk.Pause(t.Context(), pause); err != nil {
			t.Fatal(err)
		}
		d, stop := start(t, a.options("a", every(time.Minute), ""))
		time.Sleep(5 * time.Minute)
		got := a.answer(t, old)
		if got.Outcome != control.Refused || !strings.Contains(got.Text, "superseded by a later pause by alice@laptop") || got.Hint == "" {
			t.Errorf("got %+v, want the older resume superseded", got)
		}
		if got := statusOf(t, d); got.State != status.Paused || len(a.history(t)) != 0 {
			t.Errorf("got %s and passes %+v, want it paused", got.State, a.history(t))
		}
		resume := request(control.Resume)
		resume.Who = "bob@laptop"
		if _, err := a.desk.Resume(t.Context(), resume); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * s)
		stop()
		if !strings.Contains(a.log.String(), `msg="mapping resumed"`) || !strings.Contains(a.log.String(), "who=bob@laptop") {
			t.Errorf("the log does not say who resumed the mapping:\n%s", a.log)
		}
	})
}

// TestARequestInProgressHasOneAnswer checks that a request whose pass is running when the mapping
// is paused gets one answer: that the pass did not reach its end.
func TestARequestInProgressHasOneAnswer(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.fill(200)
		a.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.None, Do: func() { time.Sleep(8 * s) }})
		_, stop := start(t, a.options("a", every(24*time.Hour), ""))
		trigger := a.submit(t, request(control.Trigger))
		time.Sleep(20 * s)
		if _, err := a.desk.Pause(t.Context(), request(control.Pause)); err != nil { // the daemon sees the pause before it sees the request again
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		if got := a.answer(t, trigger); got.Outcome != control.Failed || !strings.Contains(got.Text, "paused before the pass reached its end") || !strings.Contains(got.Hint, "syncd resume") {
			t.Errorf("got %+v, want a failure because of the pause", got)
		}
		if n := strings.Count(a.log.String(), `msg="request answered" daemon=a mapping=m id=`+trigger.ID); n != 1 {
			t.Errorf("got %d answers, want one:\n%s", n, a.log)
		}
	})
}

// TestAnIDIsCarriedOutOnce checks that a client that lost the answer can send the request again
// with the same ID, and gets the same answer without another pass.
func TestAnIDIsCarriedOutOnce(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("one")
		d, stop := start(t, a.options("a", nil, ""))
		r := request(control.Trigger)
		for i := range 3 {
			got, err := d.Take(t.Context(), r, time.Minute)
			if err != nil || got.Answer == nil || got.Answer.Outcome != control.Done || got.Answer.Version != control.Version || got.Answer.At.IsZero() {
				t.Errorf("%d: got %+v, %v, want the same answer, with version and time", i, got.Answer, err)
			}
			time.Sleep(time.Duration(i) * time.Hour)
		}
		stop()
		if passes := a.history(t); len(passes) != 1 {
			t.Errorf("got passes %+v, want one", passes)
		}
	})
}

// TestAClaimIsLeftToItsProcess checks that a claimed request that does not need the lease is left
// to its process until the process is presumed dead.
func TestAClaimIsLeftToItsProcess(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		r := a.submit(t, request(control.Pause))
		if isOwn, err := a.desk.Claim(t.Context(), r, 1, control.Claim{By: "other", Nonce: "other"}); !isOwn || err != nil {
			t.Fatal(isOwn, err)
		}
		_, stop := start(t, a.options("a", every(24*time.Hour), ""))
		time.Sleep(time.Minute)
		if by, err := a.desk.ClaimedBy(t.Context(), r); by != "other" || err != nil {
			t.Errorf("got the request claimed by %q, %v, want the claim of the other process unchanged", by, err)
		}
		time.Sleep(2 * time.Minute)
		stop()
		if got := a.answer(t, r); got.By != "a" || got.Outcome != control.Done {
			t.Errorf("got %+v, want the request carried out by the remaining process", got)
		}
	})
}

// TestARekeySurvivesAPause checks that a rekey that a pause interrupted resumes under the new key
// when the pause ends.
func TestARekeySurvivesAPause(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.fill(300)
		_, stop := start(t, a.options("a", every(24*time.Hour), ""))
		a.submit(t, request(control.Trigger))
		time.Sleep(time.Minute)
		stop()
		a.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.None, Do: func() { time.Sleep(4 * s) }})
		d, stop := start(t, a.options("b", every(10*time.Minute), a.Account(consumer).CreateKey(region, nil).ARN()))
		rekey := a.submit(t, request(control.Rekey))
		time.Sleep(30 * s)
		a.submit(t, request(control.Pause))
		time.Sleep(time.Minute)
		if got := a.answer(t, rekey); got.Outcome != control.Failed || !strings.Contains(got.Hint, "under the new key") {
			t.Errorf("got %+v, want a hint what to do", got)
		}
		a.submit(t, request(control.Resume))
		time.Sleep(30 * time.Minute)
		if got := statusOf(t, d); got.Error != nil {
			t.Errorf("got %+v, want the pass resumed", got.Error)
		}
		stop()
		if passes := a.history(t); passes[len(passes)-1].Result != "complete" {
			t.Errorf("got passes %+v, want the last complete", passes)
		}
	})
}

// TestARequestThatIsNotWrittenIsLogged checks that a request that cannot be written to the state is
// logged.
func TestARequestThatIsNotWrittenIsLogged(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		d, stop := start(t, a.options("a", nil, ""))
		a.Inject(awsfake.Fault{Operation: "PutObject", Bucket: "consumer-state", Kind: awsfake.AccessDenied})
		if _, err := d.Take(context.WithoutCancel(t.Context()), request(control.Pause), s); err == nil {
			t.Error("got no error")
		}
		stop()
		if !strings.Contains(a.log.String(), `msg="request was not accepted"`) || !strings.Contains(a.log.String(), "who=alice@laptop") {
			t.Errorf("the log does not say who asked in vain:\n%s", a.log)
		}
	})
}
