// Package order is what users ask a daemon for: requests in the state become passes, pauses and
// answers.
//
// It promises that a request is carried out by one process, the one that holds the lease where it
// is about a pass; that it has one answer, which is durable before anybody is told; that a request
// which is not carried out in time, or cannot be, is answered too; and that no pass of a paused
// mapping begins, also before the first look at the state.
//
// It leaves to package control how requests are written and sent, and to the daemon to run the
// passes.
//
// The words: an order is a request that this process knows of and that has no answer yet; the queue
// is those of one mapping, the inbox those of the process; a job is what one turn of a mapping does
// for the orders that it has claimed.
package order

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/awserr"
	"syncd/internal/control"
	"syncd/internal/deadline"
)

const (
	// boardTimeout bounds how long the requests of one look may take to be read, claimed and
	// answered.
	boardTimeout = 30 * time.Second
	// boardAtOnce is of how many mappings at once.
	boardAtOnce = 16
	// answerTimeout bounds how long one answer may take to be written.
	answerTimeout = 10 * time.Second
)

// InboxOptions are what the requests to a process depend on. All fields are required.
type InboxOptions struct {
	// Desk is where requests are.
	Desk *control.Desk
	// Holder names this process to those who send requests.
	Holder string
	// Queues returns the queues of the mappings that are kept here, by name.
	Queues func() map[string]*Queue
	// LookTimeout bounds how long a look at the state may take, and a request to be written to it.
	LookTimeout time.Duration
	// Redact takes secrets out of a text.
	Redact func(string) string
	// Logger gets what happens to requests.
	Logger *slog.Logger
}

// Inbox is the requests to the mappings of a process. It is made by NewInbox.
type Inbox struct {
	o       InboxOptions
	callers *callers

	mu      sync.Mutex
	foreign []string // names that were logged
}

// NewInbox returns an inbox that has not looked yet.
func NewInbox(o InboxOptions) *Inbox { return &Inbox{o: o, callers: newCallers()} }

// Await waits for the first look, so that no pass begins of a mapping that is paused. The error is
// that of looks that failed.
func (i *Inbox) Await(ctx context.Context) error { return i.callers.await(ctx) }

// Every returns how long the next look may wait.
func (i *Inbox) Every() time.Duration { return i.callers.every() }

// Poked has an element when the next look should be at once.
func (i *Inbox) Poked() <-chan struct{} { return i.callers.poke }

// Look looks for requests, which says whether the state can be reached, and does what they ask for.
func (i *Inbox) Look(ctx context.Context) error {
	var board control.Board
	err := deadline.Do(ctx, i.o.LookTimeout, func(ctx context.Context) (err error) {
		board, err = i.o.Desk.Look(ctx)
		return awserr.Plain(err)
	})
	if err == nil {
		// What is not done in time is done after the next look.
		_ = deadline.Do(ctx, boardTimeout, func(ctx context.Context) error { i.attend(ctx, board); return nil })
	}
	if ctx.Err() == nil {
		i.callers.note(err)
	}
	return err
}

// attend does what the board asks for: side by side of several mappings, and in order of each.
func (i *Inbox) attend(ctx context.Context, board control.Board) {
	queues, cases := i.o.Queues(), map[string][]control.Case{}
	for mapping := range queues {
		cases[mapping] = nil
	}
	for _, c := range board.Cases {
		cases[c.Mapping] = append(cases[c.Mapping], c)
	}
	var attending errgroup.Group
	attending.SetLimit(boardAtOnce)
	for mapping, list := range cases {
		attending.Go(func() error {
			q := queues[mapping]
			standsBy := q != nil && q.standsBy() // before a pause that the holder has made ends that
			if q != nil {
				q.seeMode(ctx, board.Mode(mapping))
				q.list.forget(board.Open(mapping))
			}
			for _, c := range list {
				i.attendTo(ctx, q, c, standsBy)
			}
			return nil
		})
	}
	_ = attending.Wait() // each logs what it could not do
	if err := i.o.Desk.Sweep(ctx, board); err != nil {
		i.o.Logger.Warn("old requests were not all deleted", "err", err)
	}
	i.logForeign(board.Foreign)
}

// attendTo does what one request asks for; q is nil for a mapping that is not kept here.
func (i *Inbox) attendTo(ctx context.Context, q *Queue, c control.Case, standsBy bool) {
	switch {
	case c.IsAnswered && i.callers.isAwaited(c.ID):
		i.fetch(ctx, c)
	case !c.IsOpen():
	case i.o.Desk.HasExpired(c) && (q == nil || !q.list.hasClaimed(c.ID)):
		i.expire(ctx, c)
	case q != nil:
		q.see(ctx, c, standsBy)
	}
}

// logForeign logs each name among the requests that is none of this version's once.
func (i *Inbox) logForeign(names []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, name := range names {
		if !slices.Contains(i.foreign, name) {
			i.o.Logger.Warn("record among the requests is not known, it is left alone", "name", name)
		}
	}
	i.foreign = names
}

// fetch gives an answer that another process wrote to those who wait for it here.
func (i *Inbox) fetch(ctx context.Context, c control.Case) {
	if a, err := i.o.Desk.AnswerTo(ctx, c.Mapping, c.ID); err == nil {
		i.callers.deliver(a)
	}
}

// expire answers a request that was not carried out in time.
func (i *Inbox) expire(ctx context.Context, c control.Case) {
	r, err := i.o.Desk.Request(ctx, c.Mapping, c.ID)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	r.Mapping, r.ID = c.Mapping, c.ID
	i.Answer(ctx, r, control.Answer{
		Outcome: control.Expired, Text: "no process that keeps the mapping has carried it out within " + control.ExpireAfter.String(),
		Hint: "start `syncd run` with the mapping in its configuration, and ask again",
	})
}

// Answer makes the answer to a request durable, logs it and gives it to those who wait. It reports
// whether it is durable.
func (i *Inbox) Answer(ctx context.Context, r control.Request, a control.Answer) bool {
	a.ID, a.Mapping, a.What, a.By = r.ID, r.Mapping, r.What, i.o.Holder
	a.Text, a.Hint = i.o.Redact(a.Text), i.o.Redact(a.Hint)
	err := deadline.Do(context.WithoutCancel(ctx), answerTimeout, func(ctx context.Context) (err error) {
		a, err = i.o.Desk.Answer(ctx, a)
		return err
	})
	if err != nil {
		i.o.Logger.Warn("request was not answered", "mapping", r.Mapping, "id", r.ID, "err", err)
		return false
	}
	i.o.Logger.Info("request answered", "mapping", r.Mapping, "id", r.ID, "what", r.What, "who", r.Who, "asked_at", r.At, "outcome", a.Outcome, "text", a.Text)
	i.callers.deliver(a)
	return true
}

// Take takes a request from the socket. It is written to the state, where the process finds it that
// holds the lease, be it this one or another, and where it survives both.
func (i *Inbox) Take(ctx context.Context, r control.Request, wait time.Duration) (control.Reply, error) {
	arrived, hangUp := i.callers.call(r.ID)
	defer hangUp()
	err := deadline.Do(ctx, i.o.LookTimeout, func(ctx context.Context) error { return i.o.Desk.Submit(ctx, r) })
	if err != nil {
		err = fmt.Errorf("write the request to the state: %w", awserr.Plain(err))
		i.o.Logger.Warn("request was not taken", "mapping", r.Mapping, "id", r.ID, "what", r.What, "who", r.Who, "err", err)
		return control.Reply{}, err
	}
	i.callers.soon()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case a := <-arrived:
		i.forget(ctx, r)
		return control.Reply{Answer: &a}, nil
	case <-timer.C:
	case <-ctx.Done():
	}
	return control.Reply{ClaimedBy: i.claimedBy(ctx, r)}, nil
}

// forget deletes a request whose answer was read. The answer is swept a day later: a client that
// has lost it asks again.
func (i *Inbox) forget(ctx context.Context, r control.Request) {
	_ = deadline.Do(context.WithoutCancel(ctx), answerTimeout, func(ctx context.Context) error { return i.o.Desk.Forget(ctx, r) })
}

// claimedBy returns which process carries a request out, "" while none does.
func (i *Inbox) claimedBy(ctx context.Context, r control.Request) (by string) {
	_ = deadline.Do(context.WithoutCancel(ctx), answerTimeout, func(ctx context.Context) (err error) {
		by, err = i.o.Desk.ClaimedBy(ctx, r)
		return err
	})
	return by
}
