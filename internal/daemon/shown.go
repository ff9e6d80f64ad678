package daemon

import (
	"sync"
	"time"

	"syncd/internal/daemon/status"
)

// snapshotFor is how long a snapshot is reused, so that concurrent requests do not read all
// mappings each time.
const snapshotFor = time.Second

// lastShown caches the last snapshot.
type lastShown struct {
	mu       sync.Mutex
	snapshot *status.Snapshot
	at       time.Time
}

// since returns the cached snapshot if it is still fresh, or nil.
func (l *lastShown) since(now time.Time) *status.Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.snapshot != nil && now.Sub(l.at) < snapshotFor {
		return l.snapshot
	}
	return nil
}

func (l *lastShown) set(s *status.Snapshot, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.snapshot, l.at = s, at
}
