package syncer

import (
	"errors"
	"time"

	"syncd/internal/checkpoint"
)

// The exit codes that a pass gives a command. They are part of the public surface; docs/cli.md lists them.
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

// end closes the books: the summary, the counts of the pass and its one line in the log.
func (p *pass) end(err error) Summary {
	s, took := p.tally.summary(), p.o.Now().Sub(p.start)
	requests := p.o.Meter.Counts().Since(p.before)
	s.Requests, s.Throttled, s.Seconds = requests.Requests, requests.Throttled, took.Seconds()
	result, exit := verdict(s, err)
	s.Result, s.Exit = result, exit
	if err != nil {
		s.Error = err.Error()
	}
	if exit == ExitLeaseHeld {
		return s // no pass began; whoever waits for the lease asks again and again
	}
	p.count.passes.WithLabelValues(result).Inc()
	p.count.duration.Observe(took.Seconds())
	if err == nil && p.replay == nil {
		p.count.lastSuccess.WithLabelValues().Set(unix(p.o.Now()))
	}
	p.log.Info("pass ended", "result", result, "generation", s.Generation, "resumed", s.Resumed,
		"listed", s.Listed, "copied", s.Copied, "copied_bytes", s.CopiedBytes, "unchanged", s.Unchanged, "adopted", s.Adopted,
		"skipped", sum(s.Skipped), "quarantined", s.SetAside(), "throttled", s.Throttled, "duration", took)
	return s
}

// verdict names the result for metrics and logs, and the exit code that goes with it.
func verdict(s Summary, err error) (result string, exit int) {
	refusal, refused := errors.AsType[*RefusedError](err)
	switch {
	case errors.Is(err, ErrDrained):
		return checkpoint.ResultDrained, ExitInterrupted
	case checkpoint.IsLeaseHeld(err):
		return "", ExitLeaseHeld
	case refused && !refusal.passes():
		return checkpoint.ResultDenied, ExitFailed
	case err != nil:
		return checkpoint.ResultFailed, ExitFailed
	case s.SetAside() > 0:
		return checkpoint.ResultQuarantined, ExitQuarantined
	default:
		return checkpoint.ResultComplete, ExitDone
	}
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
