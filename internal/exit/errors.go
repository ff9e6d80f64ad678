// Package exit is how a command ends: its errors, their exit codes, and what a person can do about
// them.
//
// It promises one place where an error becomes an exit code (Code), one where it becomes a line
// with a hint (Print, Hint), and one table of the codes and their meanings, from which the help of
// every command is written (Table, Help).
//
// It leaves to the commands which error they end with. A usage error is a command line or a
// configuration that has to be changed; a hint is what to do about any error.
package exit

import (
	"errors"
	"slices"
	"strings"

	"syncd/config/fault"
	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer"
	"syncd/internal/terminal"
)

// CodeUsage says that the command line or the configuration has to be changed; the other exit codes
// are those of a pass.
const CodeUsage = 2

// UsageError is a command line or a configuration that has to be changed before anything can be
// done.
type UsageError struct{ err error }

func (e *UsageError) Error() string { return e.err.Error() }

func (e *UsageError) Unwrap() error { return e.err }

// quarantinedError says that a command did its work but had to set objects aside.
type quarantinedError struct{ objects int64 }

func (e *quarantinedError) Error() string {
	return terminal.Objects(e.objects) + " quarantined"
}

// InterruptedError says that a command without a pass of its own was interrupted.
type InterruptedError struct {
	command string
	state   string // what becomes of what it has asked for, "" for a command that leaves things as afterInterruption says
}

func (e *InterruptedError) Error() string {
	if e.state == "" {
		return e.command + ": interrupted"
	}
	return e.command + ": interrupted: " + e.state
}

// hintedError is an error that knows what to do about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }

func (e *hintedError) Unwrap() error { return e.err }

// Code is the one place where an error becomes an exit code. Of several errors the gravest decides:
// one mapping that failed outweighs any number that only set objects aside.
func Code(err error) int {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return codeOf(err)
	}
	gravity := []int{syncer.ExitDone, CodeFindings, syncer.ExitQuarantined, syncer.ExitLeaseHeld, syncer.ExitInterrupted, CodeUsage, syncer.ExitFailed}
	gravest := 0
	for _, err := range joined.Unwrap() {
		gravest = max(gravest, slices.Index(gravity, Code(err)))
	}
	return gravity[gravest]
}

func codeOf(err error) int {
	_, usage := errors.AsType[*UsageError](err)
	_, faults := errors.AsType[*fault.Faults](err)
	_, found := errors.AsType[*FindingsError](err)
	_, work := errors.AsType[*workError](err)
	_, aside := errors.AsType[*quarantinedError](err)
	_, interrupted := errors.AsType[*InterruptedError](err)
	switch {
	case err == nil:
		return syncer.ExitDone
	case usage, faults:
		return CodeUsage
	case found, work:
		return CodeFindings
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

// Usage makes an error one of the command line or the configuration.
func Usage(err error) error { return &UsageError{err} }

// WithHint adds to an error what to do about it.
func WithHint(err error, hint string) error { return &hintedError{err, hint} }

// Quarantined is the error of a command that did its work but had to set so many objects aside.
func Quarantined(objects int64) error { return &quarantinedError{objects} }

// Interrupted is the error of a command that was interrupted; state is what becomes of what it has
// asked for, "" for a command that leaves things as afterInterruption says.
func Interrupted(command, state string) error { return &InterruptedError{command, state} }

// Work is the error of a plan by which so many objects would be copied.
func Work(objects int64) error { return &workError{objects} }

// workError says that a pass would have something to do.
type workError struct{ objects int64 }

func (e *workError) Error() string { return terminal.Objects(e.objects) + " to copy" }

// CodeFindings says that something has to be changed in what was judged.
const CodeFindings = 4

// FindingsError says how much was found in documents. The findings themselves are printed before.
type FindingsError struct{ Errors, Warnings int }

func (e *FindingsError) Error() string {
	var parts []string
	for _, of := range []struct {
		name  string
		count int
	}{{"error", e.Errors}, {"warning", e.Warnings}} {
		if of.count > 0 {
			parts = append(parts, terminal.Counted(of.count, of.name))
		}
	}
	return strings.Join(parts, " and ") + " in the policies"
}
