package exit

import (
	"errors"
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

// QuarantineHint returns a hint how to see the reasons, and the usual causes of some reasons.
func QuarantineHint(s syncer.Summary) string {
	hints := []string{"`syncd status --quarantine` lists them with their reasons; passes try them again by themselves, `syncd replay` does now"}
	isCopied := s.Copied+s.Unchanged+s.Adopted > 0
	for _, reason := range []awserr.Class{awserr.Denied, awserr.NoKey, awserr.KeyDisabled} {
		switch {
		case s.Quarantined[string(reason)] == 0:
		case reason == awserr.NoKey:
			hints = append(hints, "no_key is a KMS key that does not exist: kms_key of the destination, unless others are copied")
		case reason == awserr.Denied && isCopied:
			hints = append(hints, "some objects denied while others are copied usually belong to a third account that wrote them, which a bucket policy does not cover: "+
				"`syncd doctor` shows their owners")
		default:
			hints = append(hints, "`syncd doctor` names the document or the key that is to blame for "+string(reason))
		}
	}
	return strings.Join(hints, "; ")
}

// Print prints an error and its hint on one line. Joined errors, and the faults of a configuration,
// get a line each.
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
		return "what was done is saved; the next pass goes on from there"
	}
	if e, ok := errors.AsType[*InterruptedError](err); ok && e.state == "" {
		return afterInterruption(e.command)
	}
	if errors.Is(err, syncer.ErrUnfinished) {
		return "run `syncd backfill` to finish it; it tries what is due in quarantine too"
	}
	if errors.Is(err, planner.ErrMoved) {
		return "run `syncd backfill` first: it copies to the new place, and tries what is in quarantine too"
	}
	if _, ok := errors.AsType[*planner.RekeyError](err); ok {
		return "run `syncd backfill --rekey`, or `syncd rekey` while a daemon runs, to copy them under the new key, or put the former key back"
	}
	if store.IsLeaseHeld(err) {
		return "if it is a daemon, ask it: `syncd trigger` for a pass, `syncd rekey` for one under a new key; else wait for its end"
	}
	if _, ok := errors.AsType[*denial.Error](err); ok {
		return "run `syncd doctor`: it tries each permission and names the document that is missing one"
	}
	return hintOfService(err)
}

// hintOfService returns the hint for a response of an AWS service or of a proxy in front of it.
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
			"or the account that the configuration gives that side does not own the bucket: `syncd doctor` finds out which"
	case awserr.NoBucket:
		return "check bucket and region of the mapping"
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
		return "state: " + e.State + " is not this role's to read and write (checkpoint.role, or the ambient credentials), or belongs to another account than " +
			"checkpoint.account says: run `syncd doctor`"
	case awserr.NoBucket:
		return "create the bucket, or correct state: " + e.State
	case awserr.WrongRegion:
		return "set checkpoint.region " + regionOf(e)
	case awserr.NoKey, awserr.KeyDisabled:
		return "the state is written under checkpoint.kms_key: correct it, or enable the key"
	default:
		return ""
	}
}

// regionOf returns the region to send the request to, as the end of a hint.
func regionOf(err error) string {
	if region := awserr.BucketRegion(err); region != "" {
		return "to " + region
	}
	return "to that of the bucket"
}
