// Package figure holds what is known of each mapping at the moment: its ledger, its backlog, its
// quarantine, its lease, its sessions and what bounds its requests. The metrics, the status page
// and its JSON read the same value, so that they never disagree.
//
// It promises that what is not known is nil, the zero time or absent from its map, and never 0;
// that a Figure is read as a whole; and that everything is safe for concurrent use.
//
// It leaves to the syncer and to package assembly what is known and when, to package metrics the
// names of the series, and to the daemon what a page makes of it. It knows neither Prometheus nor
// the daemon.
//
// Two words: a Board has a Mapping for each mapping of the process, which is set and asked; a
// Figure is what one says at one moment. A mapping stays on the board when its configuration
// changes, and leaves it when it is removed.
package figure

import "time"

// Figure is what is known of one mapping. What is not known is nil, the zero time, or absent from
// its map.
type Figure struct {
	// OldestUnsynced is the age in seconds of the oldest change of the source that is known and not
	// copied.
	OldestUnsynced *float64
	// LastSuccess is when a pass reached its end last, LastListing when the source was listed to
	// its end last.
	LastSuccess, LastListing time.Time
	// Generation and Entries are those of the ledger; generation 0 says that there is none.
	Generation, Entries *int64
	// BacklogObjects and BacklogBytes are listed and still to be copied.
	BacklogObjects, BacklogBytes *int64
	// Quarantine counts objects in quarantine by reason.
	Quarantine map[string]int64
	// LeaseHeld says that this process holds the lease on the ledger. LeaseExpiry is when it ends
	// unless it is renewed, whichever process holds it.
	LeaseHeld   bool
	LeaseExpiry time.Time
	// Credentials is when the session of each side ends unless it is renewed.
	Credentials map[string]time.Time
	// Concurrency is how many requests may be in flight at once, Rates how many may be sent per
	// second by side, and Throttles how often a service asked to slow down by side.
	Concurrency *int64
	Rates       map[string]float64
	Throttles   map[string]int64
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

// Throttled returns how often a service asked to slow down, whichever it was.
func (f Figure) Throttled() (sum int64) {
	for _, n := range f.Throttles {
		sum += n
	}
	return sum
}
