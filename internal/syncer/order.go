package syncer

import (
	"cmp"

	"syncd/internal/checkpoint/history"
	"syncd/internal/syncer/planner"
)

// Why passes begin, as the history names it.
const (
	TriggerSchedule = "schedule"
	TriggerStart    = "start"    // of the daemon
	TriggerRequest  = "request"  // of a user, to the daemon
	TriggerBackfill = "backfill" // by that command
	TriggerReplay   = history.TriggerReplay
)

// Order is what a pass is asked for with. The zero Order is a pass over the whole source, for a
// backfill.
type Order struct {
	// Replay chooses objects in quarantine for a pass over nothing else; nil for one over the whole
	// source.
	Replay planner.Selector
	// Rekey allows this pass to copy everything again under a new KMS key, as Options.Rekey does
	// for all.
	Rekey bool
	// Trigger is why the pass begins, Request the id of the request that asks for it and By who
	// sent that.
	Trigger, Request, By string
}

func (o Order) trigger() string {
	if o.Replay != nil {
		return cmp.Or(o.Trigger, TriggerReplay)
	}
	return cmp.Or(o.Trigger, TriggerBackfill)
}
