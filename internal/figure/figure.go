// Package figure stores the current data about each mapping: its ledger, backlog, quarantine,
// lease, sessions and request limits. The metrics, the status page and its JSON read the same
// values, so that they always agree.
//
// An unknown value is nil, the zero time or absent from its map, never 0. All values of a Figure
// are read at once. All methods are safe for concurrent use.
//
// The syncer and package assembly set the values, package metrics exports them as metrics, and the
// daemon displays them. The package does not depend on Prometheus or the daemon.
//
// Two terms: a Board has one Mapping, on which values are set and read, for each mapping of the
// process; a Figure is the data of a Mapping at one moment. A mapping stays on the board when its
// configuration changes, and is removed from the board when it is removed from the configuration.
package figure

import "time"

// Figure is the data about one mapping. An unknown value is nil, the zero time, or absent from its
// map.
type Figure struct {
	// OldestUnsynced is the age in seconds of the oldest known change of the source that was not
	// copied.
	OldestUnsynced *float64
	// LastSuccess is when a pass last reached its end, and LastListing when the source was last
	// fully listed.
	LastSuccess, LastListing time.Time
	// Generation and Entries describe the ledger's last generation; generation 0 means that there
	// is none.
	Generation, Entries *int64
	// BacklogObjects and BacklogBytes count the objects that were listed and must still be copied.
	BacklogObjects, BacklogBytes *int64
	// Ranges is the number of ranges of the source that the current pass is walking, and OldestRange
	// the one among them whose walk began first. Both are zero between passes.
	Ranges      int64
	OldestRange Range
	// Quarantine counts objects in quarantine by reason.
	Quarantine map[string]int64
	// LeaseHeld reports whether this process holds the lease on the ledger. LeaseExpiry is when the
	// lease expires unless it is renewed, whichever process holds it.
	LeaseHeld   bool
	LeaseExpiry time.Time
	// Credentials has, for each side, the time when its session expires unless it is renewed.
	Credentials map[string]time.Time
	// Concurrency is the maximum number of requests in flight. Rates is the maximum number of
	// requests per second, and Throttles the number of throttled responses, both by side.
	Concurrency *int64
	Rates       map[string]float64
	Throttles   map[string]int64
}

// Range is a range of the source that a pass is walking. Seconds is how long it has been walked. It
// begins after the key After, or at the first key if After is "".
type Range struct {
	Seconds float64
	After   string
}

// HasAside reports whether objects are in quarantine.
func (f Figure) HasAside() bool {
	for _, n := range f.Quarantine {
		if n > 0 {
			return true
		}
	}
	return false
}

// Throttled returns how many responses were throttled on all sides.
func (f Figure) Throttled() (sum int64) {
	for _, n := range f.Throttles {
		sum += n
	}
	return sum
}
