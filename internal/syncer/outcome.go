package syncer

import (
	"errors"

	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer/denial"
)

// The exit codes that a pass gives a command. They are part of the public surface; docs/cli.md
// lists them.
const (
	// ExitDone says that every object was settled.
	ExitDone = 0
	// ExitFailed says that the pass did not reach its end: it failed, or everything was refused.
	ExitFailed = 1
	// ExitQuarantined says that the pass reached its end and set objects aside.
	ExitQuarantined = 3
	// ExitLeaseHeld says that another process may write the ledger.
	ExitLeaseHeld = 5
	// ExitInterrupted says that the pass was asked to drain.
	ExitInterrupted = 130
)

// Outcome is what became of a pass.
type Outcome struct {
	// Result is a word for metrics, logs, pages and the history: complete, quarantined, drained,
	// denied or failed; "" where no pass began because another process holds the lease.
	Result string
	// Exit is the exit code that goes with it.
	Exit int
}

// OutcomeOf judges a pass by its summary and its error.
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
	default:
		return Outcome{history.ResultComplete, ExitDone}
	}
}
