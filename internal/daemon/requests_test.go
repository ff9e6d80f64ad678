package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/control"
	"syncd/internal/daemon"
	"syncd/internal/syncer"
)

// TestATriggerIsCarriedOutOnce checks that exactly one of two replicas carries out a request, once,
// however often it arrives, and that the holder of the lease carries out the request even if
// another replica received it.
func TestATriggerIsCarriedOutOnce(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("one", "two")
		_, stopA := start(t, a.options("a", every(24*time.Hour), ""))
		_, stopB := start(t, a.options("b", every(24*time.Hour), ""))
		first := a.submit(t, request(control.Trigger))
		time.Sleep(40 * s)
		got := a.answer(t, first)
		if got.Outcome != control.Done || got.What != control.Trigger || !strings.Contains(string(got.Summary), `"copied":2`) {
			t.Errorf("got %+v, want a pass that copied two objects", got)
		}
		a.submit(t, first) // the same request again
		time.Sleep(40 * s)
		second := a.submit(t, request(control.Trigger))
		time.Sleep(40 * s)
		if other := a.answer(t, second); other.By != got.By {
			t.Errorf("got the second request carried out by %q, want %q, the holder of the lease", other.By, got.By)
		}
		passes := a.history(t) // before another process can run its own pass
		stopA()
		stopB()
		if len(passes) != 2 || passes[0].Trigger != syncer.TriggerRequest || passes[0].Request != first.ID || passes[0].By != first.Who || passes[0].Copied != 2 || passes[0].Holder != got.By {
			t.Errorf("got the passes %+v, want one for each of two requests", passes)
		}
		for _, line := range []string{`msg="request accepted"`, `msg="request answered"`} {
			if n := strings.Count(a.log.String(), line); n != 2 {
				t.Errorf("got %d lines %s, want 2:\n%s", n, line, a.log)
			}
		}
		if want := fmt.Sprintf("id=%s what=trigger who=alice@laptop asked_at=", first.ID); !strings.Contains(a.log.String(), want) || !strings.Contains(a.log.String(), "outcome=done") {
			t.Errorf("the log does not say who asked for what, and what became of it:\n%s", a.log)
		}
	})
}

// TestARequestSurvivesItsProcess checks that the next process claims a request again if the first
// process ended between claim and answer, or could not write the answer.
func TestARequestSurvivesItsProcess(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("one")
		r := a.submit(t, request(control.Trigger))
		if isOwn, err := a.desk.Claim(t.Context(), r, 1, control.Claim{By: "dead/1", Nonce: "dead"}); !isOwn || err != nil {
			t.Fatal(isOwn, err)
		}
		a.Inject(awsfake.Fault{Operation: "PutObject", Bucket: "consumer-state", Key: "control.v1/m/" + r.ID + ".answer.json", Kind: awsfake.AccessDenied, Times: 1})
		_, stop := start(t, a.options("b", every(24*time.Hour), ""))
		time.Sleep(s)
		if by, err := a.desk.ClaimedBy(t.Context(), r); by != "b" || err != nil {
			t.Errorf("got the request claimed by %q, %v, want the remaining process", by, err)
		}
		time.Sleep(time.Minute)
		stop()
		if got := a.answer(t, r); got.Outcome != control.Done || got.By != "b" {
			t.Errorf("got %+v, want it done", got)
		}
		if passes := a.history(t); len(passes) != 1 {
			t.Errorf("got passes %+v, want one", passes)
		}
		if !strings.Contains(a.log.String(), "claims=2") || !strings.Contains(a.log.String(), "request was not answered") {
			t.Errorf("the log does not say that it was claimed again and that the first answer was not written:\n%s", a.log)
		}
	})
}

// TestARequestThatCannotBeginIsAnswered checks that a request is answered with the reason if the
// passes of its mapping cannot begin.
func TestARequestThatCannotBeginIsAnswered(t *testing.T) {
	for name, open := range map[string]func(a *asked, o daemon.Options) (daemon.Runner, error){
		"not opened": func(*asked, daemon.Options) (daemon.Runner, error) { return nil, errors.New("no such role") },
		"not ready": func(a *asked, o daemon.Options) (daemon.Runner, error) {
			return unready{a.worker("a", o, "").(always)}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				a := newAsked(t)
				o := a.options("a", every(24*time.Hour), "")
				o.Mappings[0].Open = func(context.Context) (daemon.Runner, error) { return open(a, o) }
				_, stop := start(t, o)
				r := a.submit(t, request(control.Trigger))
				time.Sleep(30 * s)
				stop()
				if got := a.answer(t, r); got.Outcome != control.Failed || !strings.Contains(got.Text, "no such role") {
					t.Errorf("got %+v, want the reason", got)
				}
			})
		})
	}
}

// TestMalformedRequestsAreRefused checks that records that are not valid requests are refused or
// ignored, and affect nothing else.
func TestMalformedRequestsAreRefused(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("one")
		id := func(i int) string { return control.NewID(time.Now().Add(time.Duration(i) * s)) }
		bad := map[string]string{
			id(0): "", id(1): "null", id(2): `{"version":99}`, id(3): strings.Repeat("x", 1<<20), id(4): `{"version":1,"what":"delete"}`,
			id(5): `{"version":1,"id":"20000101t000000-aaaaaaaaaaaa","mapping":"m","what":"trigger","who":"x","at":"2000-01-01T00:00:00Z"}`,
		}
		create := func(name, text string) {
			if err := a.store.Create(t.Context(), name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
				t.Fatal(err)
			}
		}
		for id, text := range bad {
			create("control.v1/m/"+id+".request.json", text)
		}
		create("control.v1/m/readme.txt", "hello")
		create("control.v1/m/"+id(9)+".claim-x.json", "{}")
		create("control.v2/m/"+id(9)+".request.json", "{}")
		_, stop := start(t, a.options("a", every(24*time.Hour), ""))
		time.Sleep(time.Minute)
		good := a.submit(t, request(control.Trigger))
		time.Sleep(20 * s)
		stop()
		for id := range bad {
			if got, err := a.desk.AnswerTo(t.Context(), "m", id); err != nil || got.Outcome != control.Refused || !strings.Contains(got.Text, "malformed request: ") {
				t.Errorf("request %.40q: got %+v, %v, want it refused", bad[id], got, err)
			}
		}
		if got := a.answer(t, good); got.Outcome != control.Done || len(a.history(t)) != 1 {
			t.Errorf("got %+v and %d passes, want only the requested pass", got, len(a.history(t)))
		}
		if n := strings.Count(a.log.String(), "unknown record among the requests"); n != 2 {
			t.Errorf("got %d log lines about unknown records, want one for each of 2:\n%s", n, a.log)
		}
	})
}

// TestRequestsExpire checks that requests for mappings that no process runs are answered after a
// day, and that the remaining records are deleted.
func TestRequestsExpire(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		aged := func(age time.Duration) control.Request {
			r := request(control.Trigger)
			r.Mapping, r.ID = "nobodys", control.NewID(time.Now().Add(-age))
			return a.submit(t, r)
		}
		r, left := aged(control.ExpireAfter-time.Minute), aged(control.ExpireAfter+time.Hour-time.Minute)
		_, stop := start(t, a.options("a", every(48*time.Hour), ""))
		time.Sleep(30 * s)
		if _, err := a.desk.AnswerTo(t.Context(), r.Mapping, r.ID); err == nil {
			t.Error("got an answer before the request has expired")
		}
		if got := a.answer(t, left); got.Outcome != control.Expired {
			t.Errorf("got %+v, want the older one expired", got)
		}
		time.Sleep(time.Minute)
		stop()
		if got := a.answer(t, r); got.Outcome != control.Expired || !strings.Contains(got.Text, "24h") {
			t.Errorf("got %+v, want it expired", got)
		}
		if board, err := a.desk.Look(t.Context()); err != nil || len(board.Cases) != 1 {
			t.Errorf("got %+v, %v, want the remaining records of the older request deleted", board, err)
		}
		if !strings.Contains(a.log.String(), "outcome=expired") {
			t.Errorf("the log does not say that it expired:\n%s", a.log)
		}
	})
}

// TestReplayAndRekeyByRequest checks that a replay retries the selected objects under the daemon's
// lease, and that a rekey copies everything under the new key.
func TestReplayAndRekeyByRequest(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("denied", "fine", "archived")
		for key, kind := range map[string]awsfake.FaultKind{"denied": awsfake.AccessDenied, "archived": awsfake.AccessDenied} {
			a.Inject(awsfake.Fault{Operation: "CopyObject", Key: key, Kind: kind, Times: 1})
		}
		o := a.options("a", every(24*time.Hour), "")
		o.Mappings[0].AtOnce = true
		d, stop := start(t, o)
		time.Sleep(20 * s)
		replay := request(control.Replay)
		replay.Reasons, replay.Keys = []string{"denied"}, [][]byte{[]byte("denied")}
		a.submit(t, replay)
		nothing := request(control.Replay)
		nothing.Keys = [][]byte{[]byte("unknown")}
		a.submit(t, nothing)
		time.Sleep(40 * s)
		if got := a.answer(t, replay); got.Outcome != control.Done || !slices.Contains(a.destination.Keys(), "denied") || slices.Contains(a.destination.Keys(), "archived") {
			t.Errorf("got %+v and copies of %v, want the chosen object copied", got, a.destination.Keys())
		}
		if got := a.answer(t, nothing); got.Outcome != control.Done {
			t.Errorf("got %+v, want a replay without objects to be done", got)
		}
		if got := statusOf(t, d); got.Error != nil || len(got.History) < 2 || got.History[0].Trigger != syncer.TriggerReplay {
			t.Errorf("got error %+v and history %+v, want the replay in it", got.Error, got.History)
		}
		stop()

		key := a.Account(consumer).CreateKey(region, nil).ARN()
		_, stop = start(t, a.options("b", every(24*time.Hour), key))
		trigger := a.submit(t, request(control.Trigger))
		time.Sleep(20 * s)
		if got := a.answer(t, trigger); got.Outcome != control.Failed || !strings.Contains(got.Text, "kms_key changed") {
			t.Errorf("got %+v, want a pass under another key refused", got)
		}
		rekey := a.submit(t, request(control.Rekey))
		time.Sleep(20 * s)
		stop()
		if got := a.answer(t, rekey); got.Outcome != control.Done || !strings.Contains(string(got.Summary), `"copied":`) {
			t.Errorf("got %+v, want everything copied again", got)
		}
	})
}

// TestAMappingWithoutScheduleIsTriggered checks that a mapping without a schedule waits for
// requests, and holds its lease only during its pass.
func TestAMappingWithoutScheduleIsTriggered(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		a.put("one")
		_, stopA := start(t, a.options("a", nil, ""))
		_, stopB := start(t, a.options("b", nil, ""))
		time.Sleep(time.Hour)
		if got := a.history(t); len(got) != 0 {
			t.Errorf("got passes %+v before any was asked for", got)
		}
		r := a.submit(t, request(control.Trigger))
		time.Sleep(time.Minute)
		if got := a.answer(t, r); got.Outcome != control.Done || len(a.history(t)) != 1 {
			t.Errorf("got %+v and %d passes, want one", got, len(a.history(t)))
		}
		if _, held, err := checkpoint.LeaseOf(t.Context(), a.state(), "m"); held || err != nil {
			t.Errorf("got the lease held: %v, %v, want it free for a backfill", held, err)
		}
		stopA()
		stopB()
	})
}

// TestLookingForRequestsIsOneListing checks that the search for requests takes one listing every 15
// s, that reading the ledger and the history without the lease takes one listing of each every 5
// min, and that neither sends requests to the source or destination.
func TestLookingForRequestsIsOneListing(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		_, stop := start(t, a.options("a", every(24*time.Hour), ""))
		before := a.Requests()
		time.Sleep(time.Hour + s)
		got := map[string]int64{}
		for operation, n := range a.Requests() {
			if n -= before[operation]; n > 0 {
				got[operation] = n
			}
		}
		stop()
		if diff := cmp.Diff(map[string]int64{"ListObjectsV2": 240 + 2*12}, got); diff != "" {
			t.Errorf("requests in an idle hour (-want +got):\n%s", diff)
		}
	})
}

// TestTriggersMeetTheSchedule checks that requests that arrive during a pass are answered by one
// pass right after it, that the schedule stays, and that a pause after failures does not delay
// requests.
func TestTriggersMeetTheSchedule(t *testing.T) {
	const m = time.Minute
	for _, tt := range []struct {
		name  string
		took  time.Duration
		err   error
		asked []time.Duration
		want  []time.Duration
	}{
		{"none", s, nil, nil, []time.Duration{10 * m, 20 * m, 30 * m}},
		{"between ticks", s, nil, []time.Duration{14 * m}, []time.Duration{10 * m, 14 * m, 20 * m, 30 * m}},
		{"twice during a pass", 4 * m, nil, []time.Duration{11 * m, 12 * m}, []time.Duration{10 * m, 14 * m, 20 * m, 30 * m}},
		// The pass that is due at 20 min runs at 26 min; the next tick is at 36 min.
		{"over a tick", 8 * m, nil, []time.Duration{15 * m}, []time.Duration{10 * m, 18 * m, 26 * m}},
		{"after a failure", s, errors.New("x"), []time.Duration{14 * m}, []time.Duration{10 * m, 14 * m, 20 * m, 30 * m}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				a := newAsked(t)
				w := &worker{passes: &passes{took: tt.took, err: tt.err, origin: time.Now()}}
				o := a.options("a", every(10*m), "")
				o.Mappings[0].Open = func(context.Context) (daemon.Runner, error) { return w, nil }
				_, stop := start(t, o)
				var requests []control.Request
				for _, at := range tt.asked {
					time.Sleep(at - time.Since(w.origin))
					requests = append(requests, a.submit(t, request(control.Trigger)))
				}
				time.Sleep(35*m - time.Since(w.origin))
				stop()
				var got []time.Duration
				for _, at := range w.starts() {
					got = append(got, at.Truncate(m))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("passes began at (-want +got):\n%s", diff)
				}
				for _, r := range requests {
					a.answer(t, r)
				}
			})
		})
	}
}

// TestRequestsByTheSocket checks that the socket accepts a request, reports who claimed it when the
// wait ends, and returns the answer.
func TestRequestsByTheSocket(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		w := &worker{passes: &passes{took: time.Minute, origin: time.Now()}}
		o := a.options("a", nil, "")
		o.Mappings[0].Open = func(context.Context) (daemon.Runner, error) { return w, nil }
		d, stop := start(t, o)
		got, err := d.Take(t.Context(), request(control.Trigger), 10*s)
		if err != nil || got.Answer != nil || got.ClaimedBy != "a" {
			t.Errorf("got %+v, %v, want the request accepted by this process", got, err)
		}
		got, err = d.Take(t.Context(), request(control.Trigger), 5*time.Minute)
		if err != nil || got.Answer == nil || got.Answer.Outcome != control.Done {
			t.Errorf("got %+v, %v, want the answer", got, err)
		}
		if took := time.Since(w.origin); took > 3*time.Minute {
			t.Errorf("the answer came after %s, want it at the end of the second pass", took)
		}
		unknown := request(control.Trigger)
		unknown.Mapping = "other"
		if _, err := d.Take(t.Context(), unknown, s); !isNotKept(err) {
			t.Errorf("got %v for a mapping that is not kept", err)
		}
		a.Inject(awsfake.Fault{Operation: "PutObject", Bucket: "consumer-state", Kind: awsfake.AccessDenied})
		if _, err := d.Take(t.Context(), request(control.Pause), s); err == nil || !strings.Contains(err.Error(), "write the request to the state") {
			t.Errorf("got %v where the state cannot be written", err)
		}
		stop()
		if _, err := d.Take(t.Context(), request(control.Trigger), s); err == nil || !strings.Contains(err.Error(), "stopping") {
			t.Errorf("got %v of a daemon that stops", err)
		}
	})
}
