// Package exit defines how a command ends: its errors, their exit codes, and hints what to do about
// them.
//
// It has the one function that turns an error into an exit code (Code), the one that prints an
// error as a line with a hint (Print, Hint), and the one table of exit codes and their meanings,
// which the help of every command shows (Table, Help).
//
// The commands choose the error that they end with. A usage error means that the command line or
// the configuration must be changed. A hint tells the user what to do about an error.
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

// CodeUsage is the exit code for a command line or configuration that must be changed. Package
// syncer defines the exit codes of a pass.
const CodeUsage = 2

// UsageError reports a command line or a configuration that must be changed before the command can
// run.
type UsageError struct{ err error }

func (e *UsageError) Error() string { return e.err.Error() }

func (e *UsageError) Unwrap() error { return e.err }

// quarantinedError reports that a command completed but quarantined objects.
type quarantinedError struct{ objects int64 }

func (e *quarantinedError) Error() string {
	return terminal.Objects(e.objects) + " quarantined"
}

// InterruptedError reports that a command that runs no pass was interrupted.
type InterruptedError struct {
	command string
	state   string // what happens to its request; "" if afterInterruption describes the state
}

func (e *InterruptedError) Error() string {
	if e.state == "" {
		return e.command + ": interrupted"
	}
	return e.command + ": interrupted: " + e.state
}

// hintedError is an error with a hint what to do about it.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }

func (e *hintedError) Unwrap() error { return e.err }

// Code returns the exit code for an error. For several joined errors the most severe one decides: a
// mapping that failed outweighs any number of mappings that only quarantined objects.
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

// Usage wraps err as a usage error.
func Usage(err error) error { return &UsageError{err} }

// WithHint adds a hint to err.
func WithHint(err error, hint string) error { return &hintedError{err, hint} }

// Quarantined returns the error for a command that completed but quarantined objects.
func Quarantined(objects int64) error { return &quarantinedError{objects} }

// Interrupted returns the error for a command that was interrupted. state is what happens to the
// request that it sent, or "" if afterInterruption describes the state.
func Interrupted(command, state string) error { return &InterruptedError{command, state} }

// Work returns the error for a plan that would copy objects.
func Work(objects int64) error { return &workError{objects} }

// workError reports that a pass would copy objects.
type workError struct{ objects int64 }

func (e *workError) Error() string { return terminal.Objects(e.objects) + " to copy" }

// CodeFindings is the exit code for policies that must be changed, and for a plan with work under
// --detailed-exitcode.
const CodeFindings = 4

// FindingsError reports how many findings `syncd policy check` has printed.
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
