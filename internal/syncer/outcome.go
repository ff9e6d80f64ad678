package syncer

import (
	"errors"

	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer/denial"
)

// The exit codes for the result of a pass. They are a stable interface, described in docs/cli.md.
const (
	// ExitDone means that every object was settled.
	ExitDone = 0
	// ExitFailed means that the pass did not reach its end: it failed, or everything was refused.
	ExitFailed = 1
	// ExitQuarantined means that the pass reached its end and quarantined objects.
	ExitQuarantined = 3
	// ExitLeaseHeld means that another process holds the lease on the ledger.
	ExitLeaseHeld = 5
	// ExitInterrupted means that the pass was asked to drain.
	ExitInterrupted = 130
)

// Outcome classifies the result of a pass.
type Outcome struct {
	// Result is used in metrics, logs, pages and the history: complete, quarantined, undeleted, drained,
	// denied or failed. It is "" if no pass began because another process holds the lease.
	Result string
	// Exit is the exit code for Result.
	Exit int
}

// OutcomeOf returns the outcome of a pass with the given summary and error.
func OutcomeOf(s Summary, err error) Outcome {
	refused, isRefused := errors.AsType[*denial.Error](err)
	switch {
	case errors.Is(err, ErrDrained):
		return Outcome{history.ResultDrained, ExitInterrupted}
	case store.IsLeaseHeld(err):
		return Outcome{"", ExitLeaseHeld}
	case isRefused && !refused.Passes():
		return Outcome{history.ResultDenied, ExitFailed}
	case err != nil:
		return Outcome{history.ResultFailed, ExitFailed}
	case s.SetAside() > 0:
		return Outcome{history.ResultQuarantined, ExitQuarantined}
	case s.NotDeleted() > 0:
		return Outcome{history.ResultUndeleted, ExitQuarantined}
	default:
		return Outcome{history.ResultComplete, ExitDone}
	}
}
