package order

import (
	"context"
	"errors"

	"syncd/internal/control"
)

// seeMode updates the mapping's condition if the state has a newer pause or resume.
func (q *Queue) seeMode(ctx context.Context, mode control.Mode) {
	seen := q.o.Condition.Mode()
	if mode.ID < seen.ID && mode.IsPaused != seen.IsPaused { // the listing is outdated, or the record was deleted
		board, err := q.o.Desk.LookAt(ctx, q.o.Mapping)
		if err != nil {
			return // the next search reads the mode again
		}
		mode = board.Mode(q.o.Mapping)
	}
	if mode.IsPaused == seen.IsPaused && (mode.ID == seen.ID || !seen.IsPaused) {
		return
	}
	by, err := q.o.Desk.MadeBy(ctx, q.o.Mapping, mode)
	if err != nil {
		// Without an ID, the next search reads again who set the mode.
		by, mode.ID = control.Paused{Mapping: q.o.Mapping}, ""
	}
	q.o.Condition.SetMode(mode, by)
}

// carryOut pauses or resumes the mapping. It does not need the lease.
func (q *Queue) carryOut(ctx context.Context, o *order) {
	if !q.takeAndClaim(ctx, o) {
		return
	}
	was, isRunning := q.o.Condition.Pausing()
	set, isPause := q.o.Desk.Resume, o.request.What == control.Pause
	if isPause {
		set = q.o.Desk.Pause
	}
	by, err := set(ctx, o.request)
	if superseded, ok := errors.AsType[*control.SupersededError](err); ok {
		q.o.Condition.SetMode(superseded.Mode, superseded.By)
		q.reply(ctx, o, control.Answer{Outcome: control.Refused, Text: err.Error(), Hint: superseded.Hint()})
		return
	}
	if err != nil {
		q.reply(ctx, o, control.Answer{Outcome: control.Failed, Text: err.Error(), Hint: q.o.Hint(err)})
		return
	}
	q.o.Condition.SetMode(control.Mode{ID: o.request.ID, IsPaused: isPause}, by)
	a := control.Answer{Outcome: control.Done, Text: "resumed"}
	switch {
	case isPause && was != nil && was.Request != o.request.ID:
		a.Text = "the mapping was already paused: " + was.String()
	case isPause && isRunning:
		a.Text = "paused; the pass in progress saves its progress and ends"
	case isPause:
		a.Text = "paused"
	case was == nil:
		a.Text = "the mapping was not paused"
	}
	q.reply(ctx, o, a)
}

// refuse answers a request for a pass of a paused mapping.
func (q *Queue) refuse(ctx context.Context, o *order) {
	paused := q.o.Condition.Paused()
	isClaimed, claims := q.list.claimed(o)
	if paused == nil || !q.takeAndClaim(ctx, o) {
		return
	}
	if isClaimed || claims > 0 {
		q.reply(ctx, o, haltedAnswer(o.request.What))
		return
	}
	q.reply(ctx, o, control.Answer{
		Outcome: control.Refused, Text: "the mapping is " + paused.String(), Hint: "run `syncd resume` first, or `syncd backfill` for one pass now",
	})
}

// haltedAnswer returns the answer to a request whose pass was running when the mapping was paused.
func haltedAnswer(what control.What) control.Answer {
	a := control.Answer{Outcome: control.Failed, Text: "the mapping was paused before the pass reached its end", Hint: "run `syncd resume` to resume the pass"}
	switch what { //nolint:exhaustive // the others have no pass, or one that resumes
	case control.Replay:
		a.Hint = "run `syncd resume`, then run the replay again"
	case control.Rekey:
		a.Hint = "run `syncd resume` to resume the pass under the new key; if it had not saved anything yet, run `syncd rekey` again"
	}
	return a
}
