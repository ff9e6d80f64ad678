package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/control"
	"syncd/internal/copier"
	"syncd/internal/daemon"
	"syncd/internal/daemon/appointment"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/syncer/provenance"
	"syncd/internal/throttle"
	"syncd/internal/transfer"
)

// asked is a state on S3 that stores requests. Any number of daemons can run the mapping m with
// this state.
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

// options returns the options of a daemon with the given name and the mapping m.
func (a *asked) options(holder string, schedule appointment.Schedule, rekeys string) daemon.Options {
	o := options()
	o.Logger = slog.New(slog.NewTextHandler(a.log, nil)).With("daemon", holder)
	o.Control, o.Holder = control.NewDesk(a.state(), time.Now), holder
	o.Mappings = []daemon.Mapping{{
		Name: "m", Schedule: schedule, Open: func(context.Context) (daemon.Runner, error) { return a.worker(holder, o, rekeys), nil },
	}}
	return o
}

func (a *asked) state() store.Store {
	return s3store.New(a.client, s3store.Options{Place: transfer.Place{Bucket: "consumer-state"}, LeaseFor: time.Minute, Now: time.Now})
}

// worker returns a real syncer of the mapping m; key is the KMS key of its copies, "" for the
// default.
func (a *asked) worker(holder string, o daemon.Options, key string) daemon.Runner {
	if key == "" {
		key = a.key.ARN()
	}
	level := throttle.NewLevel(throttle.LevelOptions{Min: 4, Start: 8, Max: 16})
	return always{syncer.New(syncer.Options{
		Mapping: "m", Source: listing.Live{Client: a.client, Place: transfer.Place{Bucket: "owner-data", Account: owner}},
		Copier: copier.New(copier.Options{
			Source: a.client, Destination: a.client, SourcePlace: transfer.Place{Bucket: "owner-data", Account: owner},
			DestinationPlace: transfer.Place{Bucket: "consumer-copy", Account: consumer}, KeyARN: key, Slots: member{a.share.Member()}, Now: time.Now,
		}),
		Rules: plan.Rules{KeyARN: key}, Settings: provenance.Settings{
			Source: transfer.Place{Bucket: "owner-data"}, Destination: transfer.Place{Bucket: "consumer-copy"}, KeyARN: key,
		},
		Store: a.state(), Ledger: checkpoint.Options{Mapping: "m", Holder: holder, Now: time.Now},
		Turns: level.Gate(), DrainTimeout: 20 * s, Meter: &throttle.Meter{}, Metrics: o.Metrics, Figure: o.Board.Of("m"), Logger: o.Logger, Now: time.Now,
	})}
}

func (a *asked) put(keys ...string) {
	for _, key := range keys {
		a.source.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
}

// fill puts n objects.
func (a *asked) fill(n int) {
	for i := range n {
		a.put(fmt.Sprintf("k%03d", i))
	}
}

// request returns a request to the mapping m.
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

// answer returns the answer to a request.
func (a *asked) answer(t *testing.T, r control.Request) control.Answer {
	t.Helper()
	got, err := a.desk.AnswerTo(t.Context(), r.Mapping, r.ID)
	if err != nil {
		t.Errorf("%s: %v\n%s", r.What, err, a.log)
	}
	return got
}

func (a *asked) history(t *testing.T) []history.Pass {
	t.Helper()
	passes, err := history.Read(t.Context(), a.state(), "m")
	if err != nil {
		t.Fatal(err)
	}
	return passes
}

// unready is a Runner that gets no sessions.
type unready struct{ always }

func (unready) Ready(context.Context) error { return errors.New("get credentials: no such role") }

// worker is a Worker whose passes a test times.
type worker struct {
	*passes
	mu       sync.Mutex
	orders   []syncer.Order
	verified []time.Time // when a verification was asked for
	fail     error       // the error of verifications
	verifies time.Duration
}

func (w *worker) VerifyScheduled(ctx context.Context) error {
	w.mu.Lock()
	w.verified = append(w.verified, time.Now())
	w.mu.Unlock()
	select {
	case <-time.After(w.verifies):
		return w.fail
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *worker) Hold(context.Context) error { return nil }
func (w *worker) Holds() bool                { return true }
func (w *worker) History() []history.Pass    { return nil }
func (w *worker) EnterFailure(context.Context, syncer.Order, time.Time, time.Time, error) error {
	return nil
}
func (w *worker) Run(context.Context) (syncer.Summary, error) { panic("BUG: Do is called") }

func (w *worker) Do(ctx context.Context, order syncer.Order) (syncer.Summary, error) {
	w.mu.Lock()
	w.orders = append(w.orders, order)
	w.mu.Unlock()
	return w.passes.Run(ctx)
}

func isNotKept(err error) bool {
	_, ok := errors.AsType[*control.NotKeptError](err)
	return ok
}
