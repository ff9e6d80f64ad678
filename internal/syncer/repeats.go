package syncer

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// repeatEvery is how often it is logged how many objects met the same.
const repeatEvery = time.Minute

// repeats keeps the log short where many objects meet the same: the first has a line, and the
// others are counted.
type repeats struct {
	mu   sync.Mutex
	by   map[string]*repeated
	last time.Time // when the counts were logged
	bug  bool      // a panic was
}

// repeated is what was logged of one matter, such as a reason of quarantine: objects that were not,
// since the last line, and all.
type repeated struct {
	since, all int64
	count      func(log *slog.Logger, since, all int64)
}

// first counts an object, and reports whether it is the first of its matter. The func logs the
// counts of the others.
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

// firstPanic reports whether no panic was logged yet.
func (r *repeats) firstPanic() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.bug
	r.bug = true
	return !was
}

// due logs the counts when it is time.
func (r *repeats) due(log *slog.Logger, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by != nil && now.Sub(r.last) >= repeatEvery {
		r.log(log, now)
	}
}

// end logs the counts that were not.
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
