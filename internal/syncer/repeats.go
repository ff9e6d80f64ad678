package syncer

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// repeatEvery is how often the counts of repeated messages are logged.
const repeatEvery = time.Minute

// repeats keeps the log short when many objects cause the same message: the first object is logged,
// and later objects are only counted.
type repeats struct {
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

// first counts an object and reports whether it is the first object with this matter. It stores the
// func count, which later logs the counts.
func (r *repeats) first(matter string, now time.Time, count func(log *slog.Logger, since, all int64)) bool {
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

// firstPanic reports whether this is the first panic.
func (r *repeats) firstPanic() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.bug
	r.bug = true
	return !was
}

// due logs the counts if they are due.
func (r *repeats) due(log *slog.Logger, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by != nil && now.Sub(r.last) >= repeatEvery {
		r.log(log, now)
	}
}

// end logs the remaining counts.
func (r *repeats) end(log *slog.Logger, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log(log, now)
}

func (r *repeats) log(log *slog.Logger, now time.Time) {
	r.last = now
	for _, matter := range slices.Sorted(maps.Keys(r.by)) {
		if of := r.by[matter]; of.since > 0 {
			of.count(log, of.since, of.all)
			of.since = 0
		}
	}
}
