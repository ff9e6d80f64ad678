package syncer

import (
	"fmt"
	"time"

	"syncd/internal/copier/deleting"
)

// Summary is the result of one pass. Its JSON form is a stable interface, described in docs/cli.md.
//
// For a pass that resumed an interrupted pass, the counts cover only the keys that the interrupted
// pass had not settled.
type Summary struct {
	Mapping string `json:"mapping"`
	// Pass is the number of the pass. An interrupted pass keeps its number when it is resumed.
	Pass int64 `json:"pass"`
	// Generation is the ledger's generation after the pass. If the pass was not completed, it is
	// the generation of the last completed pass.
	Generation int64 `json:"generation"`
	// Listed is the number of objects in the source listing: the sum of copied, unchanged, adopted,
	// skipped and quarantined.
	Listed int64 `json:"listed"`
	// Copied is the number of objects copied and confirmed, CopiedBytes their size.
	Copied      int64 `json:"copied"`
	CopiedBytes int64 `json:"copied_bytes"`
	// Unchanged is the number of objects whose listed version was copied before, according to the
	// ledger.
	Unchanged int64 `json:"unchanged"`
	// Adopted is the number of objects found at the destination and added to the ledger without a
	// copy.
	Adopted int64 `json:"adopted"`
	// Deleted is the number of copies deleted because their source object was deleted.
	Deleted int64 `json:"deleted"`
	// Undeleted counts the copies that were due to be deleted and were kept, by reason: returned,
	// overwritten or refused. Withheld is how many were due if a limit forbade all deletes.
	Undeleted map[string]int64 `json:"undeleted,omitempty"`
	Withheld  int64            `json:"withheld,omitempty"`
	// Skipped and Quarantined count objects by reason. Held is how many of the quarantined objects
	// were not retried in this pass because they are not due.
	Skipped     map[string]int64 `json:"skipped"`
	Quarantined map[string]int64 `json:"quarantined"`
	Held        int64            `json:"held,omitempty"`
	// Requests counts HTTP requests by operation, including retries. Throttled is how many of them
	// were throttled.
	Requests  map[string]int64 `json:"requests"`
	Throttled int64            `json:"throttled"`
	// Seconds is the duration of the pass.
	Seconds float64 `json:"seconds"`
	// Result is the outcome of the pass: complete, quarantined, undeleted, drained, denied or failed.
	Result string `json:"result,omitempty"`
	// Exit is the exit code that the command would return for this pass alone.
	Exit int `json:"exit"`
	// Resumed reports whether the pass resumed an interrupted one.
	Resumed bool `json:"resumed,omitempty"`
	// QuarantinedBefore is the number of objects that the pass quarantined before it was
	// interrupted and resumed.
	QuarantinedBefore int64 `json:"quarantined_before,omitempty"`
	// Ranges is the number of ranges of the source that the pass walked, some of them side by side; 0
	// if it did not divide the source.
	Ranges int `json:"ranges,omitempty"`
	// Kept is the number of copies that were kept although their source object is gone.
	Kept int64 `json:"kept,omitempty"`
	// Error is why the pass did not reach its end; empty if it did.
	Error string `json:"error,omitempty"`
}

// NotDeleted returns how many copies were due to be deleted and were kept because a limit or an error
// prevented it.
func (s Summary) NotDeleted() int64 { return s.Withheld + s.Refused() }

// Refused returns how many copies were due to be deleted and were kept because of an error.
func (s Summary) Refused() int64 { return s.Undeleted[string(deleting.Refused)] }

// SetAside returns the number of objects that the whole pass quarantined, for any reason.
func (s Summary) SetAside() int64 { return sum(s.Quarantined) + s.QuarantinedBefore }

// check returns an error if the counts do not add up: every listed object must have exactly one
// outcome.
func (s Summary) check() error {
	settled := s.Copied + s.Unchanged + s.Adopted + sum(s.Skipped) + sum(s.Quarantined)
	if settled == s.Listed {
		return nil
	}
	return fmt.Errorf("counts of the pass do not add up: listed %d objects, settled %d", s.Listed, settled)
}

// Progress is the progress of a pass.
type Progress struct {
	// Listed is the number of objects listed so far. Bytes is the total size of the objects planned
	// for copying so far, including those already copied.
	Listed, Bytes int64
	// Settled is the number of objects with an outcome, and CopiedBytes the size of those copied.
	Settled, CopiedBytes int64
	// Copied and SetAside are the numbers of objects copied and quarantined.
	Copied, SetAside int64
	// Expected is the total number of objects to expect: the number in the last generation, or
	// Listed if that is larger.
	Expected int64
	// Ranges is the number of ranges of the source that are being walked, and RangesWalked the number
	// of those whose walk has ended. The oldest of the ranges being walked began at OldestRange, after
	// the key OldestAfter.
	Ranges, RangesWalked int
	OldestRange          time.Time
	OldestAfter          string
	// Complete reports whether the listing has ended, so that Listed is final.
	Complete bool
}

func sum(counts map[string]int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}
