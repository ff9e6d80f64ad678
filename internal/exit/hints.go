package exit

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"syncd/config/fault"
	"syncd/internal/awserr"
	"syncd/internal/checkpoint/store"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/printable"
	"syncd/internal/syncer"
	"syncd/internal/syncer/denial"
	"syncd/internal/syncer/planner"
)

// leftHint returns a hint for a pass that left something to do.
func leftHint(s syncer.Summary) string {
	var hints []string
	if s.SetAside() > 0 {
		hints = append(hints, quarantineHint(s))
	}
	if n := s.Withheld; n > 0 {
		hints = append(hints, fmt.Sprintf("`syncd plan` shows which limit forbids the deletes; `syncd backfill --allow-deletes %d` or `syncd trigger --allow-deletes %d` confirms them for one pass", n, n))
	}
	if s.NotDeleted() > s.Withheld {
		hints = append(hints, "the log has the errors of the deletes, and the next pass tries them again; `syncd doctor` checks s3:DeleteObject")
	}
	return strings.Join(hints, "; ")
}

// quarantineHint returns a hint that says how to see the reasons, and names the usual causes of
// some reasons.
func quarantineHint(s syncer.Summary) string {
	hints := []string{"`syncd status --quarantine` lists them with their reasons; later passes try them again, `syncd replay` tries them now"}
	isCopied := s.Copied+s.Unchanged+s.Adopted > 0
	for _, reason := range []awserr.Class{awserr.Denied, awserr.NoKey, awserr.KeyDisabled} {
		switch {
		case s.Quarantined[string(reason)] == 0:
		case reason == awserr.NoKey:
			hints = append(hints, "no_key means that a KMS key does not exist: if no object at all can be copied, the missing key is kms_key of the destination")
		case reason == awserr.Denied && isCopied:
			hints = append(hints, "if only some objects are denied, a third account usually wrote and owns them, and the bucket policy does not cover them: "+
				"`syncd doctor` shows their owners")
		default:
			hints = append(hints, "`syncd doctor` shows which policy or key causes "+string(reason))
		}
	}
	return strings.Join(hints, "; ")
}

// Print prints an error and its hint on one line. It prints each joined error, and each fault of a
// configuration, on a separate line.
func Print(w io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			Print(w, err)
		}
		return
	}
	if faults, ok := errors.AsType[*fault.Faults](err); ok {
		for _, fault := range *faults {
			printable.Fprintln(w, fault)
		}
		return
	}
	line := "syncd: " + printable.Line(err.Error())
	if hint := Hint(err); hint != "" {
		line += "; hint: " + hint
	}
	printable.Fprintln(w, line)
}

// Hint returns the hint for an error, or "" if there is none.
func Hint(err error) string {
	if h, ok := errors.AsType[*hintedError](err); ok {
		return h.hint
	}
	if c, ok := errors.AsType[*awserr.CredentialsError](err); ok {
		return c.Hint
	}
	if expired, ok := errors.AsType[*awserr.ExpiredError](err); ok {
		return expired.Hint
	}
	if errors.Is(err, syncer.ErrDrained) {
		return "the progress is saved; the next pass resumes from there"
	}
	if e, ok := errors.AsType[*InterruptedError](err); ok && e.state == "" {
		return afterInterruption(e.command)
	}
	if errors.Is(err, syncer.ErrUnfinished) {
		return "run `syncd backfill` to finish it; it also tries objects in quarantine that are due"
	}
	if errors.Is(err, planner.ErrMoved) {
		return "run `syncd backfill` first: it copies to the new destination, and also tries the objects in quarantine"
	}
	if _, ok := errors.AsType[*planner.RekeyError](err); ok {
		return "to copy the objects under the new key, run `syncd backfill --rekey`, or `syncd rekey` while a daemon runs; otherwise set kms_key back to the old key"
	}
	if store.IsLeaseHeld(err) {
		return "if it is a daemon, send it a request: `syncd trigger` for a pass, `syncd rekey` for a pass under a new key; otherwise wait until it ends"
	}
	if _, ok := errors.AsType[*denial.Error](err); ok {
		return "run `syncd doctor`: it tests every permission and shows which policy lacks one"
	}
	return hintOfService(err)
}

// hintOfService returns the hint for an error response from an AWS service, or from a proxy in
// front of it; "" if there is none.
func hintOfService(err error) string {
	class := awserr.Classify(err)
	if state, ok := errors.AsType[*s3store.StateError](err); ok {
		if hint := hintOfState(state, class); hint != "" {
			return hint
		}
	}
	if hint := awserr.Hint(err); hint != "" {
		return hint
	}
	switch class { //nolint:exhaustive // the other classes have no hint
	case awserr.Denied:
		return "the role lacks a permission: its own policy, the bucket policy and the key policy must all allow the action; " +
			"or the bucket does not belong to the configured account; `syncd doctor` finds out which"
	case awserr.NoBucket:
		return "check the bucket and the region of the mapping"
	case awserr.WrongRegion:
		return "set region of that side " + regionOf(err)
	case awserr.NoKey:
		return "correct kms_key of the destination: KMS has no such key in that region"
	default:
		return ""
	}
}

// hintOfState returns the hint for an error of the state bucket, or "" if no setting causes it.
func hintOfState(e *s3store.StateError, class awserr.Class) string {
	switch class { //nolint:exhaustive // the other classes have no hint
	case awserr.Denied:
		return "state: " + e.State + " cannot be read and written with this role (checkpoint.role, or the ambient credentials), or does not belong to " +
			"checkpoint.account: run `syncd doctor`"
	case awserr.NoBucket:
		return "create the bucket, or correct state: " + e.State
	case awserr.WrongRegion:
		return "set checkpoint.region " + regionOf(e)
	case awserr.NoKey, awserr.KeyDisabled:
		return "the state is encrypted under checkpoint.kms_key: correct it, or enable the key"
	default:
		return ""
	}
}

// regionOf returns the last words of a hint: the region that the request must be sent to.
func regionOf(err error) string {
	if region := awserr.BucketRegion(err); region != "" {
		return "to " + region
	}
	return "to the region of the bucket"
}
