package daemon

import (
	"context"
	"errors"

	"syncd/internal/control"
)

// seePause takes note of whether the mapping is paused in the state.
func (k *keeper) seePause(ctx context.Context, mode control.Mode) {
	k.mu.Lock()
	isPaused, seen := k.paused != nil, k.mode
	k.mu.Unlock()
	if mode.ID < seen && mode.IsPaused != isPaused { // what was listed is older than what was done since, or the record is gone
		board, err := k.d.o.Control.LookAt(ctx, k.m.Name)
		if err != nil {
			return // the next look says it
		}
		mode = board.Mode(k.m.Name)
	}
	if mode.IsPaused == isPaused && (mode.ID == seen || !isPaused) {
		return
	}
	by, err := k.d.o.Control.MadeBy(ctx, k.m.Name, mode)
	if err != nil {
		by, mode.ID = control.Paused{Mapping: k.m.Name}, "" // the listing says so; who did is read after the next look
	}
	k.setMode(mode, by)
}

// setMode pauses the mapping, or resumes it. A pass in progress drains.
func (k *keeper) setMode(mode control.Mode, by control.Paused) {
	k.mu.Lock()
	defer k.mu.Unlock()
	was := k.paused != nil
	k.mode, k.paused = mode.ID, nil
	if mode.IsPaused {
		k.paused = &by
	}
	if was == mode.IsPaused {
		return
	}
	k.standing, k.held = false, nil // no process stands by for a pass that does not come
	value := 0.0
	if mode.IsPaused {
		value = 1
		k.log.Info("mapping paused", "who", by.Who, "since", by.At)
		if k.halt != nil {
			k.halt(errPaused)
		}
	} else {
		k.log.Info("mapping resumed", "who", by.Who)
	}
	k.d.o.Metrics.Paused.WithLabelValues(k.m.Name).Set(value)
	if !k.running {
		k.since = k.d.o.Now()
	}
	k.wakeUp()
}

func (k *keeper) isPaused() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.paused != nil
}

// carryOut pauses or resumes the mapping, which takes no lease.
func (k *keeper) carryOut(ctx context.Context, o *order) {
	if !k.takeAndClaim(ctx, o) {
		return
	}
	k.mu.Lock()
	was, isRunning := k.paused, k.running
	k.mu.Unlock()
	set, isPause := k.d.o.Control.Resume, o.request.What == control.Pause
	if isPause {
		set = k.d.o.Control.Pause
	}
	by, err := set(ctx, o.request)
	if superseded, ok := errors.AsType[*control.SupersededError](err); ok {
		k.setMode(superseded.Mode, superseded.By)
		k.reply(ctx, o, control.Answer{Outcome: control.Refused, Text: err.Error(), Hint: superseded.Hint()})
		return
	}
	if err != nil {
		k.reply(ctx, o, control.Answer{Outcome: control.Failed, Text: err.Error(), Hint: k.d.o.Hint(err)})
		return
	}
	k.setMode(control.Mode{ID: o.request.ID, IsPaused: isPause}, by)
	a := control.Answer{Outcome: control.Done, Text: "resumed"}
	switch {
	case isPause && was != nil && was.Request != o.request.ID:
		a.Text = "it was paused already: " + was.String()
	case isPause && isRunning:
		a.Text = "paused; the pass in progress saves what it has done and ends"
	case isPause:
		a.Text = "paused"
	case was == nil:
		a.Text = "it was not paused"
	}
	k.reply(ctx, o, a)
}

// refuse answers a request for a pass of a paused mapping.
func (k *keeper) refuse(ctx context.Context, o *order) {
	k.mu.Lock()
	paused, wasTried := k.paused, o.isClaimed || o.claims > 0
	k.mu.Unlock()
	if paused == nil || !k.takeAndClaim(ctx, o) {
		return
	}
	if wasTried {
		k.reply(ctx, o, haltedAnswer(o.request.What))
		return
	}
	k.reply(ctx, o, control.Answer{
		Outcome: control.Refused, Text: "the mapping is " + paused.String(), Hint: "run `syncd resume` first, or `syncd backfill` for one pass now",
	})
}

// haltedAnswer is that to a request whose pass had begun when the mapping was paused.
func haltedAnswer(what control.What) control.Answer {
	a := control.Answer{Outcome: control.Failed, Text: "the mapping was paused before the pass reached its end", Hint: "run `syncd resume`: the pass resumes then"}
	switch what { //nolint:exhaustive // the others have no pass, or one that resumes
	case control.Replay:
		a.Hint = "run `syncd resume`, and then the replay again"
	case control.Rekey:
		a.Hint = "run `syncd resume`: the pass resumes under the new key then; where it had saved nothing yet, run `syncd rekey` again"
	}
	return a
}
