package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/history"
	"syncd/internal/control"
	"syncd/internal/deadline"
	"syncd/internal/syncer"
)

const (
	// boardEvery is how often requests are looked for in the state, of all mappings with one listing: 5,760 LIST requests a day for a
	// process, which are 2.9 cents, or 0.86 dollars in 30 days, at 0.005 dollars per 1,000. boardSoon is how often while somebody waits
	// for an answer here.
	boardEvery = 15 * time.Second
	boardSoon  = 2 * time.Second
	// boardTimeout bounds how long the requests of one look may take to be read, claimed and answered.
	boardTimeout = 30 * time.Second
	// boardAtOnce is of how many mappings at once.
	boardAtOnce = 16
	// answerTimeout bounds how long one answer may take to be written.
	answerTimeout = 10 * time.Second
)

// Worker is a Runner that carries out requests. Requests for the passes of another Runner are refused.
type Worker interface {
	Runner
	// Hold takes the lease. A *store.LeaseHeldError says that another process has it.
	Hold(ctx context.Context) error
	// Holds reports whether the lease is held, without asking.
	Holds() bool
	// Do runs a pass as it is ordered, as Run does.
	Do(ctx context.Context, order syncer.Order) (syncer.Summary, error)
	// EnterFailure adds a pass to the history that failed before it was begun, under the lease.
	EnterFailure(ctx context.Context, order syncer.Order, began, ended time.Time, failure error) error
	// History returns the passes that ended last, oldest first, as far as they are known.
	History() []history.Pass
}

// errPaused is why a pass ends that is halted for a pause, or does not begin.
var errPaused = errors.New("the mapping is paused")

// requests is what the daemon knows of requests.
type requests struct {
	looked chan struct{} // closed when the first look has ended
	poke   chan struct{} // holds an element when the next look should be at once

	mu      sync.Mutex
	err     error // of the last look, until one has succeeded
	known   bool  // one has
	callers map[string][]chan control.Answer
	foreign []string // names that were logged
}

func newRequests() requests {
	return requests{looked: make(chan struct{}), poke: make(chan struct{}, 1), callers: map[string][]chan control.Answer{}}
}

// await waits for the first look, so that no pass begins of a mapping that is paused. The error is that of looks that failed.
func (r *requests) await(ctx context.Context) error {
	select {
	case <-r.looked:
	case <-ctx.Done():
		return ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known {
		return nil
	}
	return fmt.Errorf("look for requests in the state: %w", r.err)
}

// note takes note of how a look ended.
func (r *requests) note(err error) {
	r.mu.Lock()
	r.err, r.known = err, r.known || err == nil
	r.mu.Unlock()
	select {
	case <-r.looked:
	default:
		close(r.looked)
	}
}

// soon has the next look be at once.
func (r *requests) soon() {
	select {
	case r.poke <- struct{}{}:
	default:
	}
}

// every returns how long the next look may wait.
func (r *requests) every() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.callers) > 0 {
		return boardSoon
	}
	return boardEvery
}

// call returns where the answer to a request arrives, until the caller hangs up.
func (r *requests) call(id string) (answer <-chan control.Answer, hangUp func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := make(chan control.Answer, 1)
	r.callers[id] = append(r.callers[id], c)
	return c, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.callers[id] = slices.DeleteFunc(r.callers[id], func(other chan control.Answer) bool { return other == c })
		if len(r.callers[id]) == 0 {
			delete(r.callers, id)
		}
	}
}

func (r *requests) isAwaited(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.callers[id]) > 0
}

func (r *requests) deliver(a control.Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.callers[a.ID] {
		select {
		case c <- a:
		default: // it has one
		}
	}
}

// lookAtState looks whether the state can be reached, and with the same listing for requests.
func (d *Daemon) lookAtState(ctx context.Context) error {
	if d.o.Control == nil {
		return deadline.Do(ctx, stateTimeout, d.o.CheckState)
	}
	var board control.Board
	err := deadline.Do(ctx, stateTimeout, func(ctx context.Context) (err error) {
		board, err = d.o.Control.Look(ctx)
		return awserr.Plain(err)
	})
	if err == nil {
		// What is not done in time is done after the next look.
		_ = deadline.Do(ctx, boardTimeout, func(ctx context.Context) error { d.attend(ctx, board); return nil })
	}
	if ctx.Err() == nil {
		d.requests.note(err)
	}
	return err
}

// attend does what the board asks for: side by side of several mappings, and in order of each.
func (d *Daemon) attend(ctx context.Context, board control.Board) {
	keepers, cases := map[string]*keeper{}, map[string][]control.Case{}
	for _, k := range d.kept() {
		keepers[k.m.Name], cases[k.m.Name] = k, nil
	}
	for _, c := range board.Cases {
		cases[c.Mapping] = append(cases[c.Mapping], c)
	}
	var attending errgroup.Group
	attending.SetLimit(boardAtOnce)
	for mapping, list := range cases {
		attending.Go(func() error {
			k := keepers[mapping]
			standsBy := k != nil && k.standsBy() // before a pause that the holder has made ends that
			if k != nil {
				k.seePause(ctx, board.Mode(mapping))
				k.forgetOthers(board.Open(mapping))
			}
			for _, c := range list {
				d.attendTo(ctx, k, c, standsBy)
			}
			return nil
		})
	}
	_ = attending.Wait() // each logs what it could not do
	if err := d.o.Control.Sweep(ctx, board); err != nil {
		d.o.Logger.Warn("old requests were not all deleted", "err", err)
	}
	d.logForeign(board.Foreign)
}

// attendTo does what one request asks for; k is nil for a mapping that is not kept here.
func (d *Daemon) attendTo(ctx context.Context, k *keeper, c control.Case, standsBy bool) {
	switch {
	case c.IsAnswered && d.requests.isAwaited(c.ID):
		d.fetch(ctx, c)
	case !c.IsOpen():
	case d.o.Control.HasExpired(c) && (k == nil || !k.hasClaimed(c.ID)):
		d.expire(ctx, c)
	case k != nil:
		k.see(ctx, c, standsBy)
	}
}

// logForeign logs each name among the requests that is none of this version's once.
func (d *Daemon) logForeign(names []string) {
	d.requests.mu.Lock()
	defer d.requests.mu.Unlock()
	for _, name := range names {
		if !slices.Contains(d.requests.foreign, name) {
			d.o.Logger.Warn("record among the requests is not known, it is left alone", "name", name)
		}
	}
	d.requests.foreign = names
}

// fetch gives an answer that another process wrote to those who wait for it here.
func (d *Daemon) fetch(ctx context.Context, c control.Case) {
	if a, err := d.o.Control.AnswerTo(ctx, c.Mapping, c.ID); err == nil {
		d.requests.deliver(a)
	}
}

// expire answers a request that nobody has carried out in time.
func (d *Daemon) expire(ctx context.Context, c control.Case) {
	r, err := d.o.Control.Request(ctx, c.Mapping, c.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	r.Mapping, r.ID = c.Mapping, c.ID
	d.answer(ctx, r, control.Answer{
		Outcome: control.Expired, Text: "no process that keeps the mapping has carried it out within " + control.ExpireAfter.String(),
		Hint: "start `syncd run` with the mapping in its configuration, and ask again",
	})
}

// answer makes the answer to a request durable, logs it and gives it to those who wait. It reports whether it is durable.
func (d *Daemon) answer(ctx context.Context, r control.Request, a control.Answer) bool {
	a.ID, a.Mapping, a.What, a.By = r.ID, r.Mapping, r.What, d.o.Holder
	a.Text, a.Hint = d.redact.text(a.Text), d.redact.text(a.Hint)
	err := deadline.Do(context.WithoutCancel(ctx), answerTimeout, func(ctx context.Context) (err error) {
		a, err = d.o.Control.Answer(ctx, a)
		return err
	})
	if err != nil {
		d.o.Logger.Warn("request was not answered", "mapping", r.Mapping, "id", r.ID, "err", err)
		return false
	}
	d.o.Logger.Info("request answered", "mapping", r.Mapping, "id", r.ID, "what", r.What, "who", r.Who, "asked_at", r.At, "outcome", a.Outcome, "text", a.Text)
	d.requests.deliver(a)
	return true
}

// Take takes a request from the socket. It is written to the state, where the process finds it that holds the lease, be it this one or
// another, and where it survives both.
func (d *Daemon) Take(ctx context.Context, r control.Request, wait time.Duration) (control.Reply, error) {
	switch {
	case d.o.Control == nil:
		return control.Reply{}, errors.New("this daemon takes no requests")
	case d.isDraining():
		return control.Reply{}, errors.New("the daemon is stopping")
	case d.keeperOf(r.Mapping) == nil:
		return control.Reply{}, &control.NotKeptError{Mapping: r.Mapping}
	}
	arrived, hangUp := d.requests.call(r.ID)
	defer hangUp()
	err := deadline.Do(ctx, stateTimeout, func(ctx context.Context) error { return d.o.Control.Submit(ctx, r) })
	if err != nil {
		err = fmt.Errorf("write the request to the state: %w", awserr.Plain(err))
		d.o.Logger.Warn("request was not taken", "mapping", r.Mapping, "id", r.ID, "what", r.What, "who", r.Who, "err", err)
		return control.Reply{}, err
	}
	d.requests.soon()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case a := <-arrived:
		d.forget(ctx, r)
		return control.Reply{Answer: &a}, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return control.Reply{ClaimedBy: d.claimedBy(ctx, r)}, nil
}

// forget deletes a request whose answer was read. The answer is swept a day later: a client that has lost it asks again.
func (d *Daemon) forget(ctx context.Context, r control.Request) {
	_ = deadline.Do(context.WithoutCancel(ctx), answerTimeout, func(ctx context.Context) error { return d.o.Control.Forget(ctx, r) })
}

// claimedBy returns which process carries a request out, "" while none does.
func (d *Daemon) claimedBy(ctx context.Context, r control.Request) (by string) {
	_ = deadline.Do(context.WithoutCancel(ctx), answerTimeout, func(ctx context.Context) (err error) {
		by, err = d.o.Control.ClaimedBy(ctx, r)
		return err
	})
	return by
}

// keeperOf returns the keeper of a mapping in force, nil for none.
func (d *Daemon) keeperOf(mapping string) *keeper {
	d.mu.Lock()
	defer d.mu.Unlock()
	if k := d.keepers[mapping]; k != nil {
		return k.present()
	}
	return nil
}

// serveControl serves the socket until the returned func is called.
func (d *Daemon) serveControl(ctx context.Context) (closeSocket func() error) {
	if d.o.ControlListener == nil {
		return func() error { return nil }
	}
	failed := func(err error) { d.o.Logger.Error("control socket ended", "err", err) }
	server := control.NewServer(d.Take, d.o.Logger)
	end := make(chan struct{})
	server.Handler = endingWith(end, server.Handler)
	closeServer := ServeWith(ctx, server, d.o.ControlListener, failed)
	return func() error {
		close(end)
		return closeServer()
	}
}

// endingWith ends the contexts of requests when end is closed.
func endingWith(end <-chan struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			select {
			case <-end:
				cancel()
			case <-ctx.Done():
			}
		}()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
