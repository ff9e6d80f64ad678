package daemon

import (
	"slices"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/syncer"
)

// shownPasses is how many passes of its history are shown of each mapping.
const shownPasses = 10

// history returns the passes that are shown, newest first. The caller holds k.mu.
func (k *keeper) history() []checkpoint.PassRecord {
	w, ok := k.runner.(Worker)
	if !ok {
		return nil
	}
	passes := w.History()
	passes = slices.Clone(passes[max(len(passes)-shownPasses, 0):])
	slices.Reverse(passes)
	for i := range passes {
		passes[i].Error = k.d.redact.text(passes[i].Error)
	}
	return passes
}

// pause returns who has paused the mapping, nil for nobody. The caller holds k.mu.
func (k *keeper) pause() *Pause {
	if k.paused == nil {
		return nil
	}
	return &Pause{At: k.paused.At.UTC(), Who: k.paused.Who}
}

// failingSince returns when the first of the passes failed that have failed in a row until the newest, zero where that did not.
func failingSince(passes []checkpoint.PassRecord) (since time.Time) {
	for _, p := range slices.Backward(passes) {
		switch {
		case p.Result == "drained", p.Trigger == syncer.TriggerReplay:
		case p.Class == "":
			return since
		case p.Times > 1:
			since = p.BeganAt
		default:
			since = p.EndedAt
		}
	}
	return since
}
