package store

import (
	"errors"
	"fmt"
)

var (
	// ErrLeaseLost reports that the lease was lost or released.
	ErrLeaseLost = errors.New("lease lost")

	// ErrSuperseded reports that another writer has committed a generation after the generation
	// from which this writer started. The ledger of this writer can no longer be written.
	ErrSuperseded = errors.New("superseded by another writer")
)

// CorruptError reports a record that is damaged or missing. The data of a damaged record is never
// returned.
type CorruptError struct {
	Name    string // name of the record in its store
	Problem string // what is wrong with it
	Err     error  // the cause, if there is one
}

// Error names the record and the problem.
func (e *CorruptError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("record %s is damaged: %s: %v", e.Name, e.Problem, e.Err)
	}
	return fmt.Sprintf("record %s is damaged: %s", e.Name, e.Problem)
}

// Unwrap returns the cause.
func (e *CorruptError) Unwrap() error { return e.Err }

// VersionError reports a record in another format than this build reads. It is not treated as
// damage, because falling back to an older record would lose the later work.
type VersionError struct {
	Name    string // name of the record in its store
	Version int    // its format version
	Known   int    // the version that this build reads and writes
}

// Error names the record and both versions, and what to do.
func (e *VersionError) Error() string {
	remedy := "use a newer syncd"
	if e.Version < e.Known {
		remedy = "use an empty state folder or prefix, or delete format.json and all records of every mapping; " +
			"the next pass adopts the copies at the destination"
	}
	return fmt.Sprintf("record %s has format version %d, but this build reads version %d: %s", e.Name, e.Version, e.Known, remedy)
}
