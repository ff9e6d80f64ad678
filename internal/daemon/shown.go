package daemon

import (
	"sync"
	"time"

	"syncd/internal/daemon/status"
)

// snapshotFor is how long a snapshot is shown: all mappings are read for one, however many ask.
const snapshotFor = time.Second

// lastShown is the snapshot that was made last.
type lastShown struct {
	mu       sync.Mutex
	snapshot *status.Snapshot
	at       time.Time
}

// since returns the snapshot that may be shown still, nil for none.
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
