package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/control"
	"syncd/internal/deadline"
)

// askEvery is how often the state is asked for an answer: a GET each time.
const askEvery = time.Second

// caller sends requests to daemons and waits for the answers.
type caller struct {
	process process
	state   *state // whose store is not opened
	desk    func() (*control.Desk, error)
	wait    time.Duration
	// follow waits for the answer however long it takes, once a process has accepted the request; one that none accepts is withdrawn.
	follow bool
}

// unheardError says that no process has accepted a request.
type unheardError struct {
	wait  time.Duration
	until time.Time // when the request expires, zero for one that was withdrawn
}

func (e *unheardError) Error() string {
	if e.until.IsZero() {
		return fmt.Sprintf("no daemon has accepted the request within %s", e.wait)
	}
	return fmt.Sprintf("no daemon has accepted the request within %s; it stays in the state until %s", e.wait, e.until.UTC().Format(time.RFC3339))
}

func newCaller(ctx context.Context, p process, f flags, wait time.Duration) (*caller, error) {
	s, err := loadState(p, f)
	if err != nil {
		return nil, err
	}
	c := &caller{process: p, state: s, wait: wait}
	c.desk = sync.OnceValues(func() (*control.Desk, error) {
		store, err := openStore(ctx, p, s.config, leasing{s.logger, nil})
		if err != nil {
			return nil, fmt.Errorf("open state %s: %w", s.config.State, err)
		}
		return control.NewDesk(store, p.now), nil
	})
	return c, nil
}

// ask sends a request, which need have no more than a mapping and what is asked for. An answer that is not there yet has the outcome
// accepted or pending.
func (c *caller) ask(ctx context.Context, r control.Request) (control.Answer, error) {
	now := c.process.now()
	r.Version, r.ID, r.At, r.Who = control.Version, control.NewID(now), now.UTC(), control.Self()
	end := time.Now().Add(c.wait)
	answer, isSent, err := c.bySocket(ctx, r)
	goesOn := answer.Outcome == "" || c.follow && answer.Outcome == control.Accepted
	if err != nil || !goesOn {
		return answer, err
	}
	if isSent && !c.follow {
		return c.unheard(ctx, r)
	}
	return c.byState(ctx, r, end)
}

// bySocket sends a request to the socket. An answer without an outcome says that it goes on through the state, where a daemon that took
// it has put it already: the same request is never carried out twice.
func (c *caller) bySocket(ctx context.Context, r control.Request) (a control.Answer, isSent bool, err error) {
	path := c.state.config.ControlSocket()
	if path == "" {
		return control.Answer{}, false, nil
	}
	reply, err := control.NewClient(path).Send(ctx, r, c.wait)
	refused, isRefused := errors.AsType[*control.StatusError](err)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return control.Answer{}, false, &hinted{err, "run the command as the user of the daemon"}
	case isRefused && (refused.Status == http.StatusForbidden || refused.Status == http.StatusBadRequest):
		return control.Answer{}, false, &hinted{err, refused.Hint}
	case err != nil:
		return control.Answer{}, false, ctx.Err() // no daemon, one that does not keep the mapping, or one that ended meanwhile
	case reply.Answer != nil:
		return *reply.Answer, true, nil
	case reply.ClaimedBy != "":
		return c.accepted(r, reply.ClaimedBy), true, nil
	}
	return control.Answer{}, true, nil
}

func (c *caller) accepted(r control.Request, by string) control.Answer {
	return control.Answer{Version: control.Version, ID: r.ID, Mapping: r.Mapping, What: r.What, Outcome: control.Accepted, By: by, At: c.process.now().UTC()}
}

// byState writes a request to the state and waits for its answer there.
func (c *caller) byState(ctx context.Context, r control.Request, end time.Time) (control.Answer, error) {
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
			_ = desk.Forget(ctx, r) // what is left is deleted a day later
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
	return c.unheard(ctx, r)
}

// unheard is what becomes of a request that has no answer in time.
func (c *caller) unheard(ctx context.Context, r control.Request) (control.Answer, error) {
	desk, err := c.desk()
	if err != nil {
		return control.Answer{}, err
	}
	by, err := desk.ClaimedBy(ctx, r)
	switch {
	case err != nil:
		return control.Answer{}, awserr.Plain(err)
	case by != "":
		return c.accepted(r, by), nil
	case r.What == control.Pause || r.What == control.Resume || c.follow:
		return c.carryOut(ctx, desk, r)
	case c.wait == 0:
		a := c.accepted(r, "")
		a.Outcome = control.Pending
		return a, nil
	}
	return control.Answer{}, &hinted{
		&unheardError{c.wait, r.At.Add(control.ExpireAfter)}, "start `syncd run` with this mapping, or give it more time with --wait; `syncd status` shows who holds the lease",
	}
}

// carryOut does in place of a daemon what takes none: it pauses and resumes. Other requests it withdraws.
func (c *caller) carryOut(ctx context.Context, desk *control.Desk, r control.Request) (control.Answer, error) {
	isOwn, err := desk.Claim(ctx, r, 1, control.Claim{By: holder(), Nonce: r.ID})
	if err != nil {
		return control.Answer{}, awserr.Plain(err)
	}
	if !isOwn {
		by, err := desk.ClaimedBy(ctx, r)
		return c.accepted(r, by), awserr.Plain(err)
	}
	a := control.Answer{ID: r.ID, Mapping: r.Mapping, What: r.What, Outcome: control.Done, By: holder()}
	switch r.What { //nolint:exhaustive // others are withdrawn
	case control.Pause:
		var paused control.Paused
		paused, err = desk.Pause(ctx, r)
		a.Text = paused.String() + "; no daemon has answered: one that runs follows within 15 s, one that starts stays paused"
	case control.Resume:
		err = desk.Resume(ctx, r.Mapping)
		a.Text = "resumed; no daemon has answered: one that runs follows within 15 s"
	default:
		a.Outcome, a.Text = control.Withdrawn, "no daemon has accepted it"
	}
	if err != nil {
		return control.Answer{}, awserr.Plain(err)
	}
	if err := desk.Answer(ctx, a); err != nil {
		return control.Answer{}, awserr.Plain(err)
	}
	_ = desk.Forget(ctx, r) // what is left is deleted a day later
	if a.Outcome == control.Withdrawn {
		return control.Answer{}, &unheardError{wait: c.wait}
	}
	return a, nil
}

// warnPaused logs that a mapping is paused whose pass a user asks for.
func (s *system) warnPaused(ctx context.Context, mapping string) {
	paused, isPaused, err := control.NewDesk(s.store, s.process.now).PausedOf(ctx, mapping)
	if err == nil && isPaused {
		s.logger.Warn("mapping is paused, this pass runs nevertheless", "mapping", mapping, "who", paused.Who, "since", paused.At)
	}
}
