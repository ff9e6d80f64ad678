package syncer

import (
	"cmp"

	"syncd/internal/checkpoint/history"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/verify"
)

// The reasons why a pass starts, as recorded in the history.
const (
	TriggerSchedule = "schedule"
	TriggerStart    = "start"    // when the daemon starts
	TriggerRequest  = "request"  // a request to the daemon
	TriggerBackfill = "backfill" // the backfill command
	TriggerVerify   = "verify"   // the verify command, with --repair
	TriggerReplay   = history.TriggerReplay
)

// Order describes the pass to run. The zero Order is a pass over the whole source, started by a
// backfill.
type Order struct {
	// Replay selects the objects in quarantine to retry. If it is nil, the pass covers the whole
	// source.
	Replay planner.Selector
	// Rekey allows this pass to copy everything again under a new KMS key. Options.Rekey allows it
	// for every pass.
	Rekey bool
	// Verify makes the pass verify the destination from the first key on, and mend what differs; nil
	// means that it does not. A pass that was interrupted is finished first, without verification.
	Verify *verify.Findings
	// AllowDeletes is how many deletes this pass may make beyond the limits, see
	// deletion.Limits.Allowed.
	AllowDeletes int64
	// Trigger is why the pass starts. Request is the ID of the request for the pass, and By the
	// sender of that request; both are "" if there was no request.
	Trigger, Request, By string
}

func (o Order) trigger() string {
	if o.Replay != nil {
		return cmp.Or(o.Trigger, TriggerReplay)
	}
	return cmp.Or(o.Trigger, TriggerBackfill)
}
