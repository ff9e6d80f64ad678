package syncer

import (
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/listing"
	"syncd/internal/syncer/planner"
)

// backlog is what is known to be missing at the destination: what was listed and must still be copied, and what is in
// quarantine. It is of a mapping, not of a pass: what one pass could not copy does not get younger with the next.
type backlog struct {
	count counters

	mu      sync.Mutex
	listed  bool                      // the source was listed to its end once, so that what is not here is not missing
	waiting map[string]listing.Object // by key: as many as the plan is ahead of the copies
	former  time.Time                 // of the oldest object that an earlier pass left waiting
	aside   time.Time                 // since when the object longest in quarantine is there
	reasons map[string]float64        // objects in quarantine by reason, as shown
	// objects and bytes are the gauges of what waits, nil while that is not known.
	objects, bytes prometheus.Gauge
}

func newBacklog(count counters) *backlog {
	return &backlog{count: count, waiting: map[string]listing.Object{}}
}

// begin starts the count of a pass, which lists everything from scratch.
func (b *backlog) begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.former = b.oldest()
	clear(b.waiting)
	b.show()
}

// listedAll notes that the source was listed to its end.
func (b *backlog) listedAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.listed {
		b.listed = true
		b.show()
	}
}

// plan adds an object that must be copied.
func (b *backlog) plan(o listing.Object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting[o.Key] = o
	if b.objects == nil {
		b.show()
		return
	}
	b.objects.Inc()
	b.bytes.Add(float64(o.Size))
}

// remove strikes an object off, whatever became of it.
func (b *backlog) remove(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o, ok := b.waiting[key]; ok {
		delete(b.waiting, key)
		b.objects.Dec()
		b.bytes.Sub(float64(o.Size))
	}
}

// setAside notes an object that went into quarantine.
func (b *backlog) setAside(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.aside = planner.Earlier(b.aside, at)
}

// end closes the count of a pass that reached its end: what is missing now is in quarantine.
func (b *backlog) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.former = time.Time{}
	clear(b.waiting)
	b.show()
}

// show sets the gauges. Before anything was listed they are absent: nobody knows what is missing. The caller holds b.mu.
func (b *backlog) show() {
	if !b.listed && len(b.waiting) == 0 {
		b.count.backlogObjects.DeleteLabelValues()
		b.count.backlogBytes.DeleteLabelValues()
		b.objects, b.bytes = nil, nil
		return
	}
	if b.objects == nil {
		b.objects, b.bytes = b.count.backlogObjects.WithLabelValues(), b.count.backlogBytes.WithLabelValues()
	}
	b.objects.Set(float64(len(b.waiting)))
	bytes := int64(0)
	for _, o := range b.waiting {
		bytes += o.Size
	}
	b.bytes.Set(float64(bytes))
}

// oldest returns the time of the oldest change that waits, zero for none. The caller holds b.mu.
func (b *backlog) oldest() time.Time {
	oldest := b.former
	for _, o := range b.waiting {
		oldest = planner.Earlier(oldest, o.LastModified)
	}
	return planner.Earlier(oldest, b.aside)
}

// age returns how many seconds ago the oldest change was made that is not copied; ok is false before anything was listed.
func (b *backlog) age(now time.Time) (seconds float64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	oldest := b.oldest()
	if oldest.IsZero() {
		return 0, b.listed
	}
	return max(0, now.Sub(oldest).Seconds()), true
}

// readQuarantine counts what the last generation has set aside.
func (b *backlog) readQuarantine(rows iter.Seq2[checkpoint.Quarantined, error]) error {
	byReason, oldest := map[string]float64{}, time.Time{}
	for q, err := range rows {
		if err != nil {
			return fmt.Errorf("read quarantine: %w", err)
		}
		byReason[q.Reason]++
		oldest = planner.Earlier(oldest, q.FirstAt)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for reason := range b.reasons {
		if byReason[reason] == 0 {
			b.count.quarantine.DeleteLabelValues(reason)
		}
	}
	for reason, n := range byReason {
		b.count.quarantine.WithLabelValues(reason).Set(n)
	}
	b.reasons, b.aside = byReason, oldest
	return nil
}

// uncounted shows how many objects are in quarantine where their reasons cannot be read, so that it does not look empty.
func (b *backlog) uncounted(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.reasons) == 0 && n > 0 {
		b.reasons = map[string]float64{string(awserr.Unknown): float64(n)}
		b.count.quarantine.WithLabelValues(string(awserr.Unknown)).Set(float64(n))
	}
}
