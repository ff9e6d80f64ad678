package figure

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Mapping contains the data about one mapping. Create it with Board.Of. A Set method stores a value
// until the next call of the method. An Ask method sets the func that returns a value that changes
// continuously. The func is called at each read, until the next call of the Ask method replaces it.
type Mapping struct {
	beats atomic.Int64

	mu        sync.Mutex
	set       values
	questions questions
}

// values are the stored values. The zero values of ledger and backlog mean unknown.
type values struct {
	success, listing, leaseExpiry time.Time
	ledger, backlog               pair
	quarantine                    map[string]int64 // replaced as a whole, never changed
	leaseHeld                     bool
}

// pair is two numbers. Either both are known or both are unknown.
type pair struct {
	known         bool
	first, second int64
}

// questions are the funcs to call at each read. The keys of the last three fields are sides.
type questions struct {
	oldest      func() (seconds float64, ok bool)
	concurrency func() int64
	ranges      func() (walked int64, oldest Range)
	credentials map[string]func() (end time.Time, ok bool)
	rates       map[string]func() (perSecond float64, ok bool)
	throttles   map[string]func() int64
}

func newMapping() *Mapping {
	return &Mapping{questions: questions{
		credentials: map[string]func() (time.Time, bool){}, rates: map[string]func() (float64, bool){}, throttles: map[string]func() int64{},
	}}
}

// Beat records activity: anything that a pass does only while it makes progress.
func (m *Mapping) Beat() { m.beats.Add(1) }

// Beats returns the number of calls of Beat.
func (m *Mapping) Beats() int64 { return m.beats.Load() }

// change calls f to change the stored values.
func (m *Mapping) change(f func(v *values)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.set)
}

// SetLedger sets the last committed generation of the ledger and the number of its entries;
// generation 0 means that there is none.
func (m *Mapping) SetLedger(generation, entries int64) {
	m.change(func(v *values) { v.ledger = pair{true, generation, entries} })
}

// SetLastSuccess sets when a pass last reached its end.
func (m *Mapping) SetLastSuccess(at time.Time) { m.change(func(v *values) { v.success = at }) }

// SetLastListing sets when the source was last fully listed.
func (m *Mapping) SetLastListing(at time.Time) { m.change(func(v *values) { v.listing = at }) }

// SetBacklog sets how much was listed and must still be copied.
func (m *Mapping) SetBacklog(objects, bytes int64) {
	m.mu.Lock() // change is not used, because SetBacklog is called for every object
	defer m.mu.Unlock()
	m.set.backlog = pair{true, objects, bytes}
}

// ClearBacklog makes the backlog unknown.
func (m *Mapping) ClearBacklog() { m.change(func(v *values) { v.backlog = pair{} }) }

// SetQuarantine sets the number of objects in quarantine by reason. It replaces all previous
// numbers; nil means that none are known.
func (m *Mapping) SetQuarantine(byReason map[string]int64) {
	shown := make(map[string]int64, len(byReason))
	for reason, n := range byReason {
		shown[strings.ToValidUTF8(reason, "\ufffd")] += n // labels must be valid UTF-8, and the ledger may come from another writer
	}
	m.change(func(v *values) { v.quarantine = shown })
}

// SetLeaseHeld sets whether this process holds the lease on the ledger. The default is false.
func (m *Mapping) SetLeaseHeld(isHeld bool) { m.change(func(v *values) { v.leaseHeld = isHeld }) }

// SetLeaseExpiry sets when the lease expires unless it is renewed, whichever process holds it.
func (m *Mapping) SetLeaseExpiry(at time.Time) { m.change(func(v *values) { v.leaseExpiry = at }) }

// HoldsLease reports whether this process holds the lease on the ledger. Unlike Read, it calls no
// funcs.
func (m *Mapping) HoldsLease() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set.leaseHeld
}

// ask calls f to change the funcs.
func (m *Mapping) ask(f func(q *questions)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.questions)
}

// AskOldest sets the func that returns the age of the oldest change that was not copied; ok is
// false while that is unknown.
func (m *Mapping) AskOldest(oldest func() (seconds float64, ok bool)) {
	m.ask(func(q *questions) { q.oldest = oldest })
}

// AskConcurrency sets the func that returns the maximum number of requests in flight.
func (m *Mapping) AskConcurrency(limit func() int64) {
	m.ask(func(q *questions) { q.concurrency = limit })
}

// AskRanges sets the func that returns how many ranges the current pass is walking, and the oldest
// of them; both are zero between passes.
func (m *Mapping) AskRanges(ranges func() (walked int64, oldest Range)) {
	m.ask(func(q *questions) { q.ranges = ranges })
}

// AskCredentials sets the func that returns when the session of a side expires; ok is false if
// there is no session that expires.
func (m *Mapping) AskCredentials(side string, end func() (at time.Time, ok bool)) {
	m.ask(func(q *questions) { q.credentials[side] = end })
}

// AskRate sets the func that returns the maximum number of requests per second to a side; ok is
// false if there is no limit.
func (m *Mapping) AskRate(side string, rate func() (perSecond float64, ok bool)) {
	m.ask(func(q *questions) { q.rates[side] = rate })
}

// AskThrottles sets the func that returns how many responses of a side were throttled.
func (m *Mapping) AskThrottles(side string, count func() int64) {
	m.ask(func(q *questions) { q.throttles[side] = count })
}

// Read returns the current data. The caller may modify it.
func (m *Mapping) Read() Figure {
	m.mu.Lock()
	set, q := m.set, m.questions
	q.credentials, q.rates, q.throttles = maps.Clone(q.credentials), maps.Clone(q.rates), maps.Clone(q.throttles)
	m.mu.Unlock() // unlocked, because a func can take a lock whose holder calls Set methods
	f := Figure{
		LastSuccess: moment(set.success), LastListing: moment(set.listing), LeaseHeld: set.leaseHeld, LeaseExpiry: moment(set.leaseExpiry),
		Quarantine: map[string]int64{}, Credentials: map[string]time.Time{}, Rates: map[string]float64{}, Throttles: map[string]int64{},
	}
	maps.Copy(f.Quarantine, set.quarantine)
	f.Generation, f.Entries = set.ledger.read()
	f.BacklogObjects, f.BacklogBytes = set.backlog.read()
	q.answer(&f)
	return f
}

// read returns the numbers of a pair, or nil if they are unknown.
func (p pair) read() (first, second *int64) {
	if !p.known {
		return nil, nil
	}
	return &p.first, &p.second
}

// answer calls the funcs and adds their results to a figure.
func (q questions) answer(f *Figure) {
	f.OldestUnsynced = asked(q.oldest)
	if q.concurrency != nil {
		f.Concurrency = new(q.concurrency())
	}
	if q.ranges != nil {
		f.Ranges, f.OldestRange = q.ranges()
	}
	for side, end := range q.credentials {
		if at, ok := end(); ok {
			f.Credentials[side] = moment(at)
		}
	}
	for side, rate := range q.rates {
		if perSecond, ok := rate(); ok {
			f.Rates[side] = perSecond
		}
	}
	for side, count := range q.throttles {
		f.Throttles[side] = count()
	}
}

// asked returns the result of f, or nil if f is nil or has no result.
func asked(f func() (value float64, ok bool)) *float64 {
	if f == nil {
		return nil
	}
	if value, ok := f(); ok {
		return &value
	}
	return nil
}

// moment returns a time in UTC, rounded down to the millisecond, as metrics and pages display it.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
