// Package repeats keeps the log of a pass short when many objects cause the same message.
//
// The first object with a matter is logged, and later objects are only counted. The counts are logged
// once a minute and at the end of the pass, so that no object is left out of the log.
//
// The caller decides what is the same matter, and logs the first object and the counts.
package repeats

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// every is how often the counts of repeated messages are logged.
const every = time.Minute

// Counter counts the objects of each matter. The zero Counter is ready to use. It is safe for
// concurrent use.
type Counter struct {
	mu   sync.Mutex
	by   map[string]*repeated
	last time.Time // when the counts were last logged
	bug  bool      // a panic was logged
}

// repeated counts the objects of one matter, for example one quarantine reason. The field since is
// the number of objects since the last log line, and all is the number since the start of the pass.
type repeated struct {
	since, all int64
	count      func(log *slog.Logger, since, all int64)
}

// First counts an object and reports whether it is the first object with this matter. It stores the
// func count, which later logs the counts.
func (r *Counter) First(matter string, now time.Time, count func(log *slog.Logger, since, all int64)) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.by[matter]
	if of != nil {
		of.since++
		of.all++
		return false
	}
	if r.by == nil {
		r.by, r.last = map[string]*repeated{}, now
	}
	r.by[matter] = &repeated{all: 1, count: count}
	return true
}

// FirstPanic reports whether this is the first panic.
func (r *Counter) FirstPanic() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.bug
	r.bug = true
	return !was
}

// Due logs the counts if they are due.
func (r *Counter) Due(log *slog.Logger, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by != nil && now.Sub(r.last) >= every {
		r.log(log, now)
	}
}

// End logs the remaining counts.
func (r *Counter) End(log *slog.Logger, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log(log, now)
}

func (r *Counter) log(log *slog.Logger, now time.Time) {
	r.last = now
	for _, matter := range slices.Sorted(maps.Keys(r.by)) {
		if of := r.by[matter]; of.since > 0 {
			of.count(log, of.since, of.all)
			of.since = 0
		}
	}
}
