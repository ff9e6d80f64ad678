// Package caller sends requests to daemons: for a pass, a pause, a resume, a replay, or a rekey.
//
// It guarantees that a request is carried out at most once. It sends the request to the socket of a
// daemon on this machine if a daemon answers, and otherwise writes it to the state. When the sender
// is interrupted, the request is withdrawn or stays in the state; the Answer or the error reports
// which.
//
// Package control defines requests and where they are stored, and package daemon carries them out.
// Two terms: a Caller waits for an answer for a limited time; a follower is a Caller that, once a
// process has accepted its request, waits until the request is carried out.
package caller

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"syncd/internal/assembly"
	"syncd/internal/awserr"
	"syncd/internal/checkpoint/store"
	"syncd/internal/control"
	"syncd/internal/deadline"
	"syncd/internal/exit"
	"syncd/internal/invocation"
)

// askEvery is how often a Caller checks the state for an answer. Each check sends one GET.
const askEvery = time.Second

// Caller sends requests to daemons and waits for the answers.
type Caller struct {
	process invocation.Process
	state   *assembly.State // its store may not be open: get the store from the func store
	store   func() (store.Store, error)
	wait    time.Duration
	// follow makes the caller wait for the answer without limit once a process has accepted the
	// request. If no process accepts it, the caller withdraws it.
	follow bool
}

// UnheardError reports that no process has accepted a request in time.
type UnheardError struct {
	wait  time.Duration
	until time.Time // when the request expires; zero if it was withdrawn
}

func (e *UnheardError) Error() string {
	if e.until.IsZero() {
		return fmt.Sprintf("no daemon has accepted the request within %s", e.wait)
	}
	return fmt.Sprintf("no daemon has accepted the request within %s; it stays in the state until %s", e.wait, e.until.UTC().Format(time.RFC3339))
}

// New returns a caller that waits for answers for the given time. The caller opens the store of the
// state only when it needs the store.
func New(ctx context.Context, p invocation.Process, s *assembly.State, wait time.Duration) *Caller {
	c := &Caller{process: p, state: s, wait: wait}
	ctx = context.WithoutCancel(ctx) // after a signal the caller still checks the request in the store
	c.store = sync.OnceValues(func() (store.Store, error) { return s.Open(ctx, p, nil) })
	return c
}

// NewFollower returns a caller that waits without limit until a request is carried out, provided
// that a process accepts it within wait.
func NewFollower(s *assembly.System, wait time.Duration) *Caller {
	return &Caller{
		process: s.Process, state: &assembly.State{Config: s.Config, Logger: s.Logger}, wait: wait, follow: true,
		store: func() (store.Store, error) { return s.Store, nil },
	}
}

func (c *Caller) desk() (*control.Desk, error) {
	store, err := c.store()
	if err != nil {
		return nil, err
	}
	return control.NewDesk(store, c.process.Now), nil
}

// Ask sends a request and waits for the answer. The caller of Ask sets only Mapping, What and, for
// a replay, Reasons and Keys. If there is no answer yet, Ask returns the outcome Accepted or
// Pending. An error that it returns in this case explains why it stopped waiting.
func (c *Caller) Ask(ctx context.Context, r control.Request) (control.Answer, error) {
	now := c.process.Now()
	r.Version, r.ID, r.At, r.Who = control.Version, control.NewID(now), now.UTC(), control.Self()
	answer, err := c.send(ctx, r)
	if err != nil && ctx.Err() != nil {
		return c.interrupt(ctx, r)
	}
	return answer, err
}

func (c *Caller) send(ctx context.Context, r control.Request) (control.Answer, error) {
	end := time.Now().Add(c.wait)
	answer, isSent, err := c.bySocket(ctx, r)
	goesOn := answer.Outcome == "" || c.follow && answer.Outcome == control.Accepted
	if err != nil || !goesOn {
		return answer, err
	}
	if isSent && !c.follow {
		return c.unheard(ctx, r, isSent)
	}
	return c.byState(ctx, r, end)
}

// bySocket sends a request to the socket. If the answer has no outcome, the caller must write the
// request to the state. A daemon that received the request has already stored it in the state under
// the same id, so the request is never carried out twice.
func (c *Caller) bySocket(ctx context.Context, r control.Request) (a control.Answer, isSent bool, err error) {
	path := c.state.Config.ControlSocket()
	if path == "" {
		return control.Answer{}, false, nil
	}
	reply, err := control.NewClient(path).Send(ctx, r, c.wait)
	refused, isRefused := errors.AsType[*control.StatusError](err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return control.Answer{}, false, exit.WithHint(err, "run the command as the user of the daemon")
	case errors.Is(err, control.ErrNotTrusted):
		return control.Answer{}, false, exit.WithHint(err, "set control.socket to a path in a folder that only the user of the daemon can write to, or to off")
	case isRefused && (refused.Status == http.StatusForbidden || refused.Status == http.StatusBadRequest):
		return control.Answer{}, false, exit.WithHint(err, refused.Hint)
	case err != nil:
		return control.Answer{}, false, ctx.Err() // no daemon, a daemon without this mapping, or one that ended meanwhile
	case reply.Answer != nil:
		return *reply.Answer, true, nil
	case reply.ClaimedBy != "":
		return c.accepted(r, reply.ClaimedBy), true, nil
	}
	return control.Answer{}, true, nil
}

func (c *Caller) accepted(r control.Request, by string) control.Answer {
	return control.Answer{Version: control.Version, ID: r.ID, Mapping: r.Mapping, What: r.What, Outcome: control.Accepted, By: by, At: c.process.Now().UTC()}
}

// pending returns the answer for a request that no process has accepted yet.
func (c *Caller) pending(r control.Request) control.Answer {
	a := c.accepted(r, "")
	a.Outcome = control.Pending
	return a
}

// stays describes how long a request stays in the state.
func stays(r control.Request) string {
	return "it stays in the state until " + r.At.Add(control.ExpireAfter).UTC().Format(time.RFC3339) + ", and a daemon with this mapping will carry it out"
}

// byState writes a request to the state and waits for its answer there.
func (c *Caller) byState(ctx context.Context, r control.Request, end time.Time) (control.Answer, error) {
	desk, err := c.desk()
	if err != nil {
		return control.Answer{}, err
	}
	if err := desk.Submit(ctx, r); err != nil {
		return control.Answer{}, fmt.Errorf("write the request to the state: %w", awserr.Plain(err))
	}
	for isClaimed := false; time.Now().Before(end) || isClaimed; {
		answer, err := desk.AnswerTo(ctx, r.Mapping, r.ID)
		if err == nil {
			_ = desk.Forget(ctx, r) // if this fails, the daemon deletes the request a day later
			return answer, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return control.Answer{}, fmt.Errorf("read the answer: %w", awserr.Plain(err))
		}
		if c.follow && !isClaimed {
			by, err := desk.ClaimedBy(ctx, r)
			isClaimed = err == nil && by != ""
		}
		next := askEvery
		if !isClaimed {
			next = min(next, time.Until(end))
		}
		if err := deadline.Sleep(ctx, next); err != nil {
			return control.Answer{}, err
		}
	}
	return c.unheard(ctx, r, false)
}

// unheard handles a request that has no answer in time. If a daemon has received the request
// through its socket and the caller does not follow it, the request stays in the state for the
// daemon.
func (c *Caller) unheard(ctx context.Context, r control.Request, isSent bool) (control.Answer, error) {
	desk, err := c.desk()
	if err != nil {
		return control.Answer{}, err
	}
	answer, isKnown, err := c.known(ctx, desk, r)
	switch {
	case err != nil || isKnown:
		return answer, err
	case c.wait == 0 && (isSent || !r.What.IsMode()):
		return c.pending(r), nil
	case r.What.IsMode() || c.follow:
		return c.carryOut(ctx, desk, r)
	}
	return c.pending(r), exit.WithHint(
		&UnheardError{c.wait, r.At.Add(control.ExpireAfter)}, "start `syncd run` with this mapping, or wait longer with --wait; `syncd status` shows who holds the lease",
	)
}

// known returns the answer to a request, or the outcome Accepted if a process has claimed the
// request. isKnown is false if there is neither an answer nor a claim.
func (c *Caller) known(ctx context.Context, desk *control.Desk, r control.Request) (a control.Answer, isKnown bool, err error) {
	a, err = desk.AnswerTo(ctx, r.Mapping, r.ID)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err == nil, awserr.Plain(err)
	}
	by, err := desk.ClaimedBy(ctx, r)
	if err != nil || by == "" {
		return control.Answer{}, false, awserr.Plain(err)
	}
	return c.accepted(r, by), true, nil
}

// carryOut carries out a pause or resume, which need no daemon. It withdraws other requests.
func (c *Caller) carryOut(ctx context.Context, desk *control.Desk, r control.Request) (control.Answer, error) {
	if !r.What.IsMode() {
		a, err := c.withdraw(ctx, desk, r)
		if err == nil && a.Outcome == control.Withdrawn {
			err = &UnheardError{wait: c.wait}
		}
		return a, err
	}
	return c.claimAndDo(ctx, desk, r, func(a *control.Answer) error {
		set, text := desk.Resume, "resumed; no daemon has answered: a running daemon follows within 15 s"
		if r.What == control.Pause {
			set, text = desk.Pause, "; no daemon has answered: a running daemon follows within 15 s, and one that starts later finds the mapping paused"
		}
		by, err := set(ctx, r)
		if superseded, ok := errors.AsType[*control.SupersededError](err); ok {
			a.Outcome, a.Text, a.Hint = control.Refused, superseded.Error(), superseded.Hint()
			return nil
		}
		a.Outcome, a.Text = control.Done, text
		if r.What == control.Pause {
			a.Text = by.String() + text
		}
		return err
	})
}

// withdraw withdraws a request if no process has claimed it.
func (c *Caller) withdraw(ctx context.Context, desk *control.Desk, r control.Request) (control.Answer, error) {
	return c.claimAndDo(ctx, desk, r, func(a *control.Answer) error {
		a.Outcome, a.Text = control.Withdrawn, "no daemon has accepted it"
		return nil
	})
}

// claimAndDo claims a request, carries it out with do, and answers it. If another process has
// claimed it first, claimAndDo returns that process's answer, or the outcome Accepted if there is
// none yet.
func (c *Caller) claimAndDo(ctx context.Context, desk *control.Desk, r control.Request, do func(*control.Answer) error) (control.Answer, error) {
	isOwn, err := desk.Claim(ctx, r, 1, control.Claim{By: assembly.Holder(), Nonce: r.ID})
	if err == nil && !isOwn {
		a, isKnown, err := c.known(ctx, desk, r)
		if err == nil && !isKnown {
			a = c.accepted(r, "")
		}
		return a, err
	}
	a := control.Answer{ID: r.ID, Mapping: r.Mapping, What: r.What, By: assembly.Holder()}
	if err == nil {
		err = do(&a)
	}
	if err == nil {
		a, err = desk.Answer(ctx, a)
	}
	if err != nil {
		err = fmt.Errorf("carry out the request without a daemon: %w; %s", awserr.Plain(err), stays(r))
		return c.pending(r), exit.WithHint(err, "try again when the state can be written")
	}
	_ = desk.Forget(ctx, r) // if this fails, the daemon deletes the request a day later
	return a, nil
}

// lookUpTime limits how long a command looks up or withdraws its request after an interruption.
const lookUpTime = 10 * time.Second

// interrupt handles a request whose sender was interrupted. It withdraws a request for a pass that
// no process has accepted, even if it is not certain that the request was sent. A pause or resume
// stays in the state.
func (c *Caller) interrupt(ctx context.Context, r control.Request) (a control.Answer, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookUpTime)
	defer cancel()
	desk, err := c.desk()
	if err == nil {
		a, err = c.afterInterrupt(ctx, desk, r)
	}
	switch {
	case err != nil:
		return c.pending(r), exit.Interrupted(string(r.What), "the request may still be in the state: "+stays(r)+": "+err.Error())
	case a.Outcome == control.Accepted:
		return a, exit.Interrupted(string(r.What), "the request was accepted by "+a.By+", which completes it; `syncd status` shows its progress")
	case a.Outcome == control.Pending:
		return a, exit.Interrupted(string(r.What), "no daemon has accepted the request yet; "+stays(r))
	case a.Outcome == control.Withdrawn:
		return a, exit.Interrupted(string(r.What), "the request was withdrawn before any daemon accepted it")
	}
	return a, nil // the answer came before the interruption
}

func (c *Caller) afterInterrupt(ctx context.Context, desk *control.Desk, r control.Request) (control.Answer, error) {
	a, isKnown, err := c.known(ctx, desk, r)
	if err != nil || isKnown {
		return a, err
	}
	if _, err := desk.Request(ctx, r.Mapping, r.ID); err == nil && r.What.IsMode() {
		return c.pending(r), nil
	}
	return c.withdraw(ctx, desk, r)
}

// WarnPaused logs a warning if the mapping is paused. It is called before a pass that a user runs.
func WarnPaused(ctx context.Context, s *assembly.System, mapping string) {
	paused, isPaused, err := control.NewDesk(s.Store, s.Process.Now).PausedOf(ctx, mapping)
	if err == nil && isPaused {
		s.Logger.Warn("mapping is paused, but this pass runs anyway", "mapping", mapping, "who", paused.Who, "since", paused.At)
	}
}
