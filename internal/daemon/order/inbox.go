// Package order handles requests from users: it reads them from the state, turns them into passes
// and pauses, and answers them.
//
// Each request is carried out by one process; if the request needs a pass, by the process that
// holds the lease. Each request gets one answer, even if it cannot be carried out or is not carried
// out in time. The answer is durable before any caller receives it. No pass of a paused mapping
// begins, because no pass begins before the first search for requests.
//
// Package control defines how requests are written and sent. The daemon runs the passes.
//
// The terms: an order is a request that this process knows and that has no answer yet; a queue
// contains the orders of one mapping, and the inbox handles the requests of all mappings of the
// process; a job is the work that a mapping does in one turn for the orders that it has claimed.
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
	// boardTimeout limits how long it may take to read, claim and answer the requests found by one
	// search.
	boardTimeout = 30 * time.Second
	// boardAtOnce is the number of mappings whose requests are handled concurrently.
	boardAtOnce = 16
	// answerTimeout limits how long writing one answer may take.
	answerTimeout = 10 * time.Second
)

// InboxOptions are the settings of an Inbox. All fields are required.
type InboxOptions struct {
	// Desk reads and writes the requests in the state.
	Desk *control.Desk
	// Holder identifies this process in replies to requests.
	Holder string
	// Queues returns the queues of the mappings that this process runs, by name.
	Queues func() map[string]*Queue
	// LookTimeout limits how long one search takes, and how long writing one request takes.
	LookTimeout time.Duration
	// Redact removes secrets from a text.
	Redact func(string) string
	// Logger logs the handling of requests.
	Logger *slog.Logger
}

// Inbox handles the requests to the mappings of a process. Create it with NewInbox.
type Inbox struct {
	o       InboxOptions
	callers *callers

	mu      sync.Mutex
	foreign []string // unknown record names that were already logged
}

// NewInbox returns an Inbox that has not searched for requests yet.
func NewInbox(o InboxOptions) *Inbox { return &Inbox{o: o, callers: newCallers()} }

// Await waits for the first search, so that no pass of a paused mapping begins. It returns an error
// if no search has succeeded yet.
func (i *Inbox) Await(ctx context.Context) error { return i.callers.await(ctx) }

// Every returns the maximum wait before the next search.
func (i *Inbox) Every() time.Duration { return i.callers.every() }

// Poked returns a channel that has an element when the next search should start at once.
func (i *Inbox) Poked() <-chan struct{} { return i.callers.poke }

// Look searches the state for requests and handles them. Its error means that the state cannot be
// reached.
func (i *Inbox) Look(ctx context.Context) error {
	var board control.Board
	err := deadline.Do(ctx, i.o.LookTimeout, func(ctx context.Context) (err error) {
		board, err = i.o.Desk.Look(ctx)
		return awserr.Plain(err)
	})
	if err == nil {
		// Requests that are not handled in time are handled after the next search.
		_ = deadline.Do(ctx, boardTimeout, func(ctx context.Context) error { i.attend(ctx, board); return nil })
	}
	if ctx.Err() == nil {
		i.callers.note(err)
	}
	return err
}

// attend handles the requests on the board: concurrently for different mappings, in order for each
// mapping.
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
			// Read standsBy before seeMode: a pause in another process ends the standby.
			standsBy := q != nil && q.standsBy()
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
	_ = attending.Wait() // each goroutine logs its failures
	if err := i.o.Desk.Sweep(ctx, board); err != nil {
		i.o.Logger.Warn("some old requests could not be deleted", "err", err)
	}
	i.logForeign(board.Foreign)
}

// attendTo handles one request. q is nil for a mapping that this process does not run.
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

// logForeign logs each unknown name among the requests once.
func (i *Inbox) logForeign(names []string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, name := range names {
		if !slices.Contains(i.foreign, name) {
			i.o.Logger.Warn("unknown record among the requests, ignored", "name", name)
		}
	}
	i.foreign = names
}

// fetch reads an answer that another process wrote, and delivers it to the callers in this process
// that wait for it.
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
		Outcome: control.Expired, Text: "no process that runs the mapping carried out the request within " + control.ExpireAfter.String(),
		Hint: "start `syncd run` with this mapping in its configuration, and send the request again",
	})
}

// Answer stores the answer to a request, logs it and delivers it to waiting callers. It reports
// whether the answer is durable.
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

// Take accepts a request from the socket and waits for its answer. It writes the request to the
// state, where this process or another one, whichever holds the lease, finds it. A request in the
// state survives a restart of any process.
func (i *Inbox) Take(ctx context.Context, r control.Request, wait time.Duration) (control.Reply, error) {
	arrived, hangUp := i.callers.call(r.ID)
	defer hangUp()
	err := deadline.Do(ctx, i.o.LookTimeout, func(ctx context.Context) error { return i.o.Desk.Submit(ctx, r) })
	if err != nil {
		err = fmt.Errorf("write the request to the state: %w", awserr.Plain(err))
		i.o.Logger.Warn("request was not accepted", "mapping", r.Mapping, "id", r.ID, "what", r.What, "who", r.Who, "err", err)
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

// forget deletes a request whose answer was delivered. The answer is kept for a day. Until then, a
// client that lost the answer can send the request again and gets the same answer.
func (i *Inbox) forget(ctx context.Context, r control.Request) {
	_ = deadline.Do(context.WithoutCancel(ctx), answerTimeout, func(ctx context.Context) error { return i.o.Desk.Forget(ctx, r) })
}

// claimedBy returns the process that carries out a request, or "" if there is none.
func (i *Inbox) claimedBy(ctx context.Context, r control.Request) (by string) {
	_ = deadline.Do(context.WithoutCancel(ctx), answerTimeout, func(ctx context.Context) (err error) {
		by, err = i.o.Desk.ClaimedBy(ctx, r)
		return err
	})
	return by
}
