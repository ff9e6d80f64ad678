package syncer

import "fmt"

// Summary is what became of one pass. Its JSON form is a contract: docs/cli.md describes it.
//
// A pass that resumed an interrupted one is summed up from where it resumed.
type Summary struct {
	Mapping string `json:"mapping"`
	// Pass is the number of the pass; one that was interrupted keeps its number when it is resumed.
	Pass int64 `json:"pass"`
	// Generation is the ledger's generation afterwards; it is that of the last complete pass when
	// this one was not.
	Generation int64 `json:"generation"`
	// Listed is the number of objects that the source listed: the sum of copied, unchanged, skipped
	// and quarantined.
	Listed int64 `json:"listed"`
	// Copied is the number of objects copied and confirmed, CopiedBytes their size.
	Copied      int64 `json:"copied"`
	CopiedBytes int64 `json:"copied_bytes"`
	// Unchanged is the number of objects that the ledger says were copied before in the version
	// listed.
	Unchanged int64 `json:"unchanged"`
	// Adopted is the number of objects found at the destination and taken into the ledger without a
	// copy.
	Adopted int64 `json:"adopted"`
	// Deleted is the number of copies deleted because their source was.
	Deleted int64 `json:"deleted"`
	// Skipped and Quarantined count objects by reason. Held is how many of those in quarantine were
	// not tried in this pass, because they are not due.
	Skipped     map[string]int64 `json:"skipped"`
	Quarantined map[string]int64 `json:"quarantined"`
	Held        int64            `json:"held,omitempty"`
	// Requests counts requests on the wire by operation, retries included; Throttled is how many
	// were answered with slow down.
	Requests  map[string]int64 `json:"requests"`
	Throttled int64            `json:"throttled"`
	// Seconds is the time the pass took.
	Seconds float64 `json:"seconds"`
	// Result is what became of the pass in a word: complete, quarantined, drained, denied or
	// failed.
	Result string `json:"result,omitempty"`
	// Exit is the exit code that this pass alone would give the command.
	Exit int `json:"exit"`
	// Resumed says that the pass took up an interrupted one.
	Resumed bool `json:"resumed,omitempty"`
	// QuarantinedBefore is the number of objects that the pass had set aside before it was
	// interrupted and resumed.
	QuarantinedBefore int64 `json:"quarantined_before,omitempty"`
	// Kept is the number of copies whose source is gone and that stay.
	Kept int64 `json:"kept,omitempty"`
	// Error is why the pass did not reach its end; empty when it did.
	Error string `json:"error,omitempty"`
}

// SetAside is the number of objects that the whole pass quarantined, for whatever reason.
func (s Summary) SetAside() int64 { return sum(s.Quarantined) + s.QuarantinedBefore }

// check reports a pass that does not add up: every listed object has exactly one outcome.
func (s Summary) check() error {
	settled := s.Copied + s.Unchanged + s.Adopted + sum(s.Skipped) + sum(s.Quarantined)
	if settled == s.Listed {
		return nil
	}
	return fmt.Errorf("pass does not add up: listed %d objects, settled %d", s.Listed, settled)
}

// Progress is where a pass stands.
type Progress struct {
	// Listed is the number of objects listed so far, Bytes the size of those that are or were to be
	// copied.
	Listed, Bytes int64
	// Settled is the number of objects with an outcome, CopiedBytes the size of those copied.
	Settled, CopiedBytes int64
	// Copied and SetAside are the numbers of objects copied and quarantined.
	Copied, SetAside int64
	// Expected is the number of objects to expect in all: those of the last generation, or Listed
	// where that is more.
	Expected int64
	// Complete says that the listing has come to its end, so that Listed is all there is.
	Complete bool
}

func sum(counts map[string]int64) (total int64) {
	for _, n := range counts {
		total += n
	}
	return total
}
