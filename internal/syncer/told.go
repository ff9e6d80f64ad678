package syncer

import (
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// tellEvery is how often it is logged how many objects met the same.
const tellEvery = time.Minute

// told keeps the log short where many objects meet the same: the first has a line, and the others are counted.
type told struct {
	mu   sync.Mutex
	by   map[string]*toldOf
	last time.Time // when the counts were logged
	bug  bool      // a panic was
}

// toldOf is what was logged of one matter, such as a reason of quarantine: objects that were not, since the last line, and all.
type toldOf struct {
	since, all int64
	count      func(log *slog.Logger, since, all int64)
}

// first counts an object, and reports whether it is the first of its matter. The func logs the counts of the others.
func (t *told) first(matter string, now time.Time, count func(log *slog.Logger, since, all int64)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	of := t.by[matter]
	if of != nil {
		of.since++
		of.all++
		return false
	}
	if t.by == nil {
		t.by, t.last = map[string]*toldOf{}, now
	}
	t.by[matter] = &toldOf{all: 1, count: count}
	return true
}

// firstPanic reports whether no panic was logged yet.
func (t *told) firstPanic() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.bug
	t.bug = true
	return !was
}

// due logs the counts when it is time.
func (t *told) due(log *slog.Logger, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.by != nil && now.Sub(t.last) >= tellEvery {
		t.tell(log, now)
	}
}

// end logs the counts that were not.
func (t *told) end(log *slog.Logger, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tell(log, now)
}

func (t *told) tell(log *slog.Logger, now time.Time) {
	t.last = now
	for _, matter := range slices.Sorted(maps.Keys(t.by)) {
		if of := t.by[matter]; of.since > 0 {
			of.count(log, of.since, of.all)
			of.since = 0
		}
	}
}
