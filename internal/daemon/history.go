package daemon

import (
	"slices"

	"syncd/internal/checkpoint/history"
)

// shownPasses is how many passes of its history are shown of each mapping.
const shownPasses = 10

// history returns the passes that are shown, newest first. The caller holds k.mu.
func (k *keeper) history() []history.Pass {
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
