package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/control"
	"syncd/internal/copier"
	"syncd/internal/daemon"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/throttle"
)

// emptyPools stands before every bubble: the Parquet library pools decoders that hold channels, which must not pass from one bubble to
// the next.
func emptyPools() {
	runtime.GC()
	runtime.GC()
}

// asked is a state on S3 with a desk, from which any number of daemons keep the mapping m.
type asked struct {
	*cloud
	desk *control.Desk
	log  *lines
}

func newAsked(t *testing.T) *asked {
	t.Helper()
	c := newCloud(t)
	return &asked{c, control.NewDesk(c.store, time.Now), &lines{}}
}

// options are those of a daemon of that name with the mapping m.
func (a *asked) options(holder string, schedule daemon.Schedule, rekeys string) daemon.Options {
	o := options()
	o.Logger = slog.New(slog.NewTextHandler(a.log, nil)).With("daemon", holder)
	o.Control, o.Holder = control.NewDesk(a.state(), time.Now), holder
	o.Mappings = []daemon.Mapping{{
		Name: "m", Schedule: schedule, Open: func(context.Context) (daemon.Runner, error) { return a.worker(holder, o, rekeys), nil },
	}}
	return o
}

func (a *asked) state() checkpoint.Store {
	return checkpoint.NewS3(a.client, checkpoint.S3Options{Bucket: "consumer-state", LeaseFor: time.Minute, Now: time.Now})
}

// worker is a real syncer of the mapping m; key is that of its copies, "" for the usual one.
func (a *asked) worker(holder string, o daemon.Options, key string) daemon.Runner {
	if key == "" {
		key = a.key.ARN()
	}
	level := throttle.NewLevel(throttle.LevelOptions{Min: 4, Start: 8, Max: 16})
	return always{syncer.New(syncer.Options{
		Mapping: "m", Source: listing.Live{Client: a.client, Bucket: "owner-data", Account: owner},
		Copier: copier.New(copier.Options{
			Source: a.client, Destination: a.client, SourceBucket: "owner-data", SourceAccount: owner,
			DestinationBucket: "consumer-copy", DestinationAccount: consumer, KeyARN: key, Slots: member{a.share.Member()}, Now: time.Now,
		}),
		Rules: plan.Rules{KeyARN: key}, Settings: syncer.Settings{
			Source: syncer.Place{Bucket: "owner-data"}, Destination: syncer.Place{Bucket: "consumer-copy"}, KeyARN: key,
		},
		Store: a.state(), Ledger: checkpoint.Options{Mapping: "m", Holder: holder, Now: time.Now},
		Turns: level.Gate(), DrainTimeout: 20 * s, Meter: &throttle.Meter{}, Metrics: o.Metrics, Logger: o.Logger, Now: time.Now,
	})}
}

func (a *asked) put(keys ...string) {
	for _, key := range keys {
		a.source.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
}

// request is one of the mapping m.
func request(what control.What) control.Request {
	now := time.Now()
	return control.Request{Version: control.Version, ID: control.NewID(now), Mapping: "m", What: what, Who: "alice@laptop", At: now}
}

// submit writes a request to the state.
func (a *asked) submit(t *testing.T, r control.Request) control.Request {
	t.Helper()
	if err := a.desk.Submit(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return r
}

// answer is the one to a request.
func (a *asked) answer(t *testing.T, r control.Request) control.Answer {
	t.Helper()
	got, err := a.desk.AnswerTo(t.Context(), r.Mapping, r.ID)
	if err != nil {
		t.Errorf("%s: %v\n%s", r.What, err, a.log)
	}
	return got
}

func (a *asked) history(t *testing.T) []checkpoint.PassRecord {
	t.Helper()
	passes, err := checkpoint.History(t.Context(), a.state(), "m")
	if err != nil {
		t.Fatal(err)
	}
	return passes
}

// Of two replicas exactly one carries a request out, once, however often it arrives; whoever has the lease does when another asks.
func TestATriggerIsCarriedOutOnce(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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
		a.submit(t, first) // the same again
		time.Sleep(40 * s)
		second := a.submit(t, request(control.Trigger))
		time.Sleep(40 * s)
		if other := a.answer(t, second); other.By != got.By {
			t.Errorf("got the second request carried out by %q, want it by the holder of the lease, %q", other.By, got.By)
		}
		stopA()
		stopB()
		passes := a.history(t)
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

// A request whose process ended between the claim and the answer is claimed again by the next one, and so is one whose answer could not be written.
func TestARequestSurvivesItsProcess(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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
			t.Errorf("got the request claimed by %q, %v, want the process that lives", by, err)
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

// A pause drains the pass, outlives the process, holds for all replicas, refuses passes, gives the lease up, and ends at once in the pass that was
// missed.
func TestAPauseHolds(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
		a := newAsked(t)
		for i := range 200 {
			a.put(fmt.Sprintf("k%03d", i))
		}
		a.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.None, Do: func() { time.Sleep(4 * s) }})
		every := every(10 * time.Minute)
		o := a.options("a", every, "")
		o.Mappings[0].AtOnce = true
		d, stop := start(t, o)
		time.Sleep(5 * s)
		if got := status(t, d); got.State != daemon.Running {
			t.Fatalf("got %s, want a pass", got.State)
		}
		r := a.submit(t, request(control.Pause))
		time.Sleep(time.Minute)
		if got := a.answer(t, r); got.Outcome != control.Done || !strings.Contains(got.Text, "pass in progress") {
			t.Errorf("got %+v, want it paused", got)
		}
		got := status(t, d)
		if got.State != daemon.Paused || got.Paused == nil || got.Paused.Who != r.Who || got.NextPass != nil || !got.Ready {
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
		if got := status(t, d); got.State != daemon.Paused || len(a.history(t)) != 1 {
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
			t.Errorf("got passes %+v, want the missed one within 20 s of the end of the pause", passes)
		}
	})
}

// A pause that is ended by the one replica which is left, after the one that had the lease has gone, is ended; a configuration that
// changes meanwhile ends none.
func TestThePauseOfAReplicaThatStoodBy(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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
		if got := status(t, b); got.State != daemon.StandingBy {
			t.Fatalf("got %s, want the second replica to stand by", got.State)
		}
		pause := a.submit(t, request(control.Pause))
		time.Sleep(30 * s)
		if got := a.answer(t, pause); got.By != "a" || status(t, b).State != daemon.Paused {
			t.Errorf("got %+v and %s, want it paused by the holder, and shown by the other", got, status(t, b).State)
		}
		stopA()
		before := len(a.history(t))
		close(changes)
		time.Sleep(5 * time.Minute)
		if got := status(t, b); got.State != daemon.Paused || len(a.history(t)) != before {
			t.Errorf("got %s and %d more passes, want it paused still", got.State, len(a.history(t))-before)
		}
		resume := a.submit(t, request(control.Resume))
		time.Sleep(30 * s)
		if got := a.answer(t, resume); got.By != "b" || len(a.history(t)) == before {
			t.Errorf("got %+v and no pass, want it resumed by the replica that is left", got)
		}
		stopB()
	})
}

// A request to a mapping whose passes cannot begin is answered with the reason.
func TestARequestThatCannotBeginIsAnswered(t *testing.T) {
	for name, open := range map[string]func(a *asked, o daemon.Options) (daemon.Runner, error){
		"not opened": func(*asked, daemon.Options) (daemon.Runner, error) { return nil, errors.New("no such role") },
		"not ready": func(a *asked, o daemon.Options) (daemon.Runner, error) {
			return unready{a.worker("a", o, "").(always)}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			emptyPools()
			synctest.Test(t, func(t *testing.T) {
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

// unready has no sessions.
type unready struct{ always }

func (unready) Ready(context.Context) error { return errors.New("get credentials: no such role") }

// What is no request of this version is refused or left alone, and stops nothing.
func TestMalformedRequestsAreRefused(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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
			t.Errorf("got %+v and %d passes, want the one that was asked for", got, len(a.history(t)))
		}
		if n := strings.Count(a.log.String(), "record among the requests is not known"); n != 2 {
			t.Errorf("got %d lines about what is not known, want one for each of 2:\n%s", n, a.log)
		}
	})
}

// Requests for mappings that nobody keeps are answered after a day, and what is left is deleted.
func TestRequestsExpire(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
		a := newAsked(t)
		r := request(control.Trigger)
		r.Mapping = "nobodys"
		a.submit(t, r)
		_, stop := start(t, a.options("a", every(48*time.Hour), ""))
		time.Sleep(control.ExpireAfter - time.Minute)
		if _, err := a.desk.AnswerTo(t.Context(), r.Mapping, r.ID); err == nil {
			t.Error("got an answer before the request has expired")
		}
		time.Sleep(2 * time.Minute)
		if got := a.answer(t, r); got.Outcome != control.Expired || !strings.Contains(got.Text, "24h") {
			t.Errorf("got %+v, want it expired", got)
		}
		time.Sleep(2 * time.Hour)
		stop()
		if board, err := a.desk.Look(t.Context()); err != nil || len(board.Cases) != 0 {
			t.Errorf("got %+v, %v, want nothing left", board, err)
		}
		if !strings.Contains(a.log.String(), "outcome=expired") {
			t.Errorf("the log does not say that it expired:\n%s", a.log)
		}
	})
}

// A replay tries what it chooses again, under the lease of the daemon; a rekey copies everything under the new key.
func TestReplayAndRekeyByRequest(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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
			t.Errorf("got %+v, want a replay of nothing done", got)
		}
		if got := status(t, d); got.Error != nil || len(got.History) < 2 || got.History[0].Trigger != syncer.TriggerReplay {
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

// A mapping without a schedule waits for requests, and holds its lease no longer than for its pass.
func TestAMappingWithoutScheduleIsTriggered(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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

// Looking for requests costs one listing each 15 s, and nothing at the source and the destination.
func TestLookingForRequestsIsOneListing(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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
		if diff := cmp.Diff(map[string]int64{"ListObjectsV2": 240}, got); diff != "" {
			t.Errorf("requests in an idle hour (-want +got):\n%s", diff)
		}
	})
}

// No pass begins before the state has said whether the mapping is paused.
func TestNoPassBeforeThePauseIsKnown(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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
		if got := status(t, d); got.State != daemon.Failing || !strings.Contains(got.Error.Text, "look for requests in the state") {
			t.Errorf("got %+v, want it failing for the state", got)
		}
		time.Sleep(10 * time.Minute)
		stop()
		if n := len(a.destination.Keys()); n != 0 {
			t.Errorf("got %d copies of a paused mapping", n)
		}
	})
}

// worker is a Worker whose passes a test times.
type worker struct {
	*passes
	mu     sync.Mutex
	orders []syncer.Order
}

func (w *worker) Hold(context.Context) error                  { return nil }
func (w *worker) Holds() bool                                 { return true }
func (w *worker) History() []checkpoint.PassRecord            { return nil }
func (w *worker) Run(context.Context) (syncer.Summary, error) { panic("BUG: Do is called") }

func (w *worker) Do(ctx context.Context, order syncer.Order) (syncer.Summary, error) {
	w.mu.Lock()
	w.orders = append(w.orders, order)
	w.mu.Unlock()
	return w.passes.Run(ctx)
}

// Requests that come during a pass are answered by one pass right after it, the schedule stays, and a pause after failures is no reason to wait.
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
		{"over a tick", 8 * m, nil, []time.Duration{15 * m}, []time.Duration{10 * m, 18 * m, 26 * m}}, // the tick of 20 min at 26; this schedule counts on from there
		{"after a failure", s, errors.New("x"), []time.Duration{14 * m}, []time.Duration{10 * m, 14 * m, 20 * m, 30 * m}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			emptyPools()
			synctest.Test(t, func(t *testing.T) {
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

// The socket takes a request, says who has it when the wait is over, and brings the answer.
func TestRequestsByTheSocket(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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
			t.Errorf("the answer took %s, want it with the end of the second pass", took)
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

func isNotKept(err error) bool {
	_, ok := errors.AsType[*control.NotKeptError](err)
	return ok
}
