package main

import (
	"errors"
	"slices"
	"strings"

	"syncd/config/fault"
	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer"
)

// exitUsage says that the command line or the configuration has to be changed; the other exit codes are those of a pass.
const exitUsage = 2

// usageError is a command line or a configuration that has to be changed before anything can be done.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// quarantinedError says that a command did its work but had to set objects aside.
type quarantinedError struct{ objects int64 }

func (e *quarantinedError) Error() string {
	return objects(e.objects) + " quarantined"
}

// interruptedError says that a command without a pass of its own was interrupted.
type interruptedError struct {
	command string
	state   string // what becomes of what it has asked for, "" for a command that leaves things as afterInterruption says
}

func (e *interruptedError) Error() string {
	if e.state == "" {
		return e.command + ": interrupted"
	}
	return e.command + ": interrupted: " + e.state
}

// hinted is an error that knows what to do about it.
type hinted struct {
	err  error
	hint string
}

func (e *hinted) Error() string { return e.err.Error() }

func (e *hinted) Unwrap() error { return e.err }

// exitCode is the one place where an error becomes an exit code. Of several errors the gravest decides: one mapping that
// failed outweighs any number that only set objects aside.
func exitCode(err error) int {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return codeOf(err)
	}
	gravity := []int{syncer.ExitDone, exitFindings, syncer.ExitQuarantined, syncer.ExitLeaseHeld, syncer.ExitInterrupted, exitUsage, syncer.ExitFailed}
	gravest := 0
	for _, err := range joined.Unwrap() {
		gravest = max(gravest, slices.Index(gravity, exitCode(err)))
	}
	return gravity[gravest]
}

func codeOf(err error) int {
	_, usage := errors.AsType[*usageError](err)
	_, faults := errors.AsType[*fault.Faults](err)
	_, found := errors.AsType[*findingsError](err)
	_, work := errors.AsType[*workError](err)
	_, aside := errors.AsType[*quarantinedError](err)
	_, interrupted := errors.AsType[*interruptedError](err)
	switch {
	case err == nil:
		return syncer.ExitDone
	case usage, faults:
		return exitUsage
	case found, work:
		return exitFindings
	case interrupted, errors.Is(err, syncer.ErrDrained):
		return syncer.ExitInterrupted
	case store.IsLeaseHeld(err):
		return syncer.ExitLeaseHeld
	case aside:
		return syncer.ExitQuarantined
	default:
		return syncer.ExitFailed
	}
}

func newUsageError(err error) error { return &usageError{err} }

// newHinted adds to an error what to do about it.
func newHinted(err error, hint string) error { return &hinted{err, hint} }

func newQuarantinedError(objects int64) error { return &quarantinedError{objects} }

// newInterruptedError is the error of a command that was interrupted; state is what becomes of what it has asked for, "" for a command that
// leaves things as afterInterruption says.
func newInterruptedError(command, state string) error { return &interruptedError{command, state} }

func newWorkError(objects int64) error { return &workError{objects} }

// workError says that a pass would have something to do.
type workError struct{ objects int64 }

func (e *workError) Error() string { return objects(e.objects) + " to copy" }

// exitFindings says that something has to be changed in what was judged.
const exitFindings = 4

// findingsError says how much was found in documents. The findings themselves are printed before.
type findingsError struct{ errors, warnings int }

func (e *findingsError) Error() string {
	var parts []string
	for _, of := range []struct {
		name  string
		count int
	}{{"error", e.errors}, {"warning", e.warnings}} {
		if of.count > 0 {
			parts = append(parts, counted(of.count, of.name))
		}
	}
	return strings.Join(parts, " and ") + " in the policies"
}
