// Package exit defines how a command ends: its errors, their exit codes, and their hints, which
// tell the user what to do.
//
// No other package turns an error into an exit code (Code), prints an error as a line with a hint
// (Print, Hint), or lists the exit codes and their meanings, which the help of every command shows
// (Table, Help).
//
// The commands choose the error that they end with. A usage error means that the command line or
// the configuration must be changed.
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

// leftError reports that a command completed but left something to do.
type leftError struct{ left string }

func (e *leftError) Error() string { return e.left }

// InterruptedError reports that a command that runs no pass was interrupted.
type InterruptedError struct {
	command string
	state   string // what happens to the sent request; "" to use afterInterruption instead
}

func (e *InterruptedError) Error() string {
	if e.state == "" {
		return e.command + ": interrupted"
	}
	return e.command + ": interrupted: " + e.state
}

// hintedError is an error with a hint that tells the user what to do.
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
	_, differ := errors.AsType[*differencesError](err)
	_, aside := errors.AsType[*leftError](err)
	_, interrupted := errors.AsType[*InterruptedError](err)
	switch {
	case err == nil:
		return syncer.ExitDone
	case usage, faults:
		return CodeUsage
	case found, work, differ:
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

// OfPass returns the error, with a hint, for a pass that was committed but left something to do:
// quarantined objects, or copies that were due to be deleted. It returns nil if there is nothing.
func OfPass(s syncer.Summary) error {
	var left []string
	if n := s.SetAside(); n > 0 {
		left = append(left, terminal.Objects(n)+" quarantined")
	}
	if n := s.NotDeleted(); n > 0 {
		left = append(left, terminal.Objects(n)+" due to be deleted were kept")
	}
	if len(left) == 0 {
		return nil
	}
	return WithHint(&leftError{strings.Join(left, ", ")}, leftHint(s))
}

// Interrupted returns the error for a command that was interrupted. state describes what happens to
// the request that the command sent. If it is "", the hint is the text of afterInterruption.
func Interrupted(command, state string) error { return &InterruptedError{command, state} }

// Work returns the error for a plan with objects to copy, adopt, delete or quarantine.
func Work(objects int64) error { return &workError{objects} }

// workError reports that a pass would copy, adopt, delete or quarantine objects.
type workError struct{ objects int64 }

func (e *workError) Error() string {
	return terminal.Objects(e.objects) + " to copy, adopt, delete or quarantine"
}

// Differences returns the error for a verification that found differences or, if isRepaired is true, could
// not mend all of them.
func Differences(n int64, isRepaired bool) error {
	if isRepaired {
		return WithHint(&differencesError{terminal.Counted(int(n), "difference") + " could not be mended"},
			"objects of other writers are replaced only with --take-over, and foreign objects under other keys are never deleted; `syncd status --quarantine` shows why an object was not copied")
	}
	return WithHint(&differencesError{terminal.Counted(int(n), "difference")}, "`syncd verify --repair` mends what syncd may replace")
}

// differencesError reports that a verification found differences.
type differencesError struct{ text string }

func (e *differencesError) Error() string { return e.text }

// CodeFindings is the exit code of `syncd policy check` if policies must be changed, of `syncd plan
// --detailed-exitcode` if a pass would copy, adopt, delete or quarantine objects, and of `syncd verify` if
// there are differences.
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
