package figure

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Mapping is what is known of one mapping. Setters store a value until the next one; what grows old
// or moves by itself is asked for when the mapping is read, by the func that was given last. It is
// made by Board.Of.
type Mapping struct {
	beats atomic.Int64

	mu        sync.Mutex
	set       values
	questions questions
}

// values are what is set. The zero values of ledger and backlog say that they are not known.
type values struct {
	success, listing, leaseExpiry time.Time
	ledger, backlog               pair
	quarantine                    map[string]int64 // replaced as a whole, never changed
	leaseHeld                     bool
}

// pair is two numbers that are known together.
type pair struct {
	known         bool
	first, second int64
}

// questions are what is asked for, the last three by side.
type questions struct {
	oldest      func() (seconds float64, ok bool)
	concurrency func() int64
	credentials map[string]func() (end time.Time, ok bool)
	rates       map[string]func() (perSecond float64, ok bool)
	throttles   map[string]func() int64
}

func newMapping() *Mapping {
	return &Mapping{questions: questions{
		credentials: map[string]func() (time.Time, bool){}, rates: map[string]func() (float64, bool){}, throttles: map[string]func() int64{},
	}}
}

// Beat notes a sign of life: anything that a pass does only while it makes progress.
func (m *Mapping) Beat() { m.beats.Add(1) }

// Beats returns how many signs of life there were.
func (m *Mapping) Beats() int64 { return m.beats.Load() }

// change has a func change what is set.
func (m *Mapping) change(f func(v *values)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.set)
}

// SetLedger sets the last committed generation of the ledger and its entries; generation 0 says
// that there is none.
func (m *Mapping) SetLedger(generation, entries int64) {
	m.change(func(v *values) { v.ledger = pair{true, generation, entries} })
}

// SetLastSuccess sets when a pass reached its end last.
func (m *Mapping) SetLastSuccess(at time.Time) { m.change(func(v *values) { v.success = at }) }

// SetLastListing sets when the source was listed to its end last.
func (m *Mapping) SetLastListing(at time.Time) { m.change(func(v *values) { v.listing = at }) }

// SetBacklog sets what is listed and still to be copied.
func (m *Mapping) SetBacklog(objects, bytes int64) {
	m.mu.Lock() // not through change: this is called for every object
	defer m.mu.Unlock()
	m.set.backlog = pair{true, objects, bytes}
}

// ClearBacklog says that it is not known what is still to be copied.
func (m *Mapping) ClearBacklog() { m.change(func(v *values) { v.backlog = pair{} }) }

// SetQuarantine sets the number of objects in quarantine by reason, in the place of what was known
// of it before; nil says that none are known.
func (m *Mapping) SetQuarantine(byReason map[string]int64) {
	shown := make(map[string]int64, len(byReason))
	for reason, n := range byReason {
		shown[strings.ToValidUTF8(reason, "\ufffd")] += n // it becomes a label, and comes from a ledger that others may write
	}
	m.change(func(v *values) { v.quarantine = shown })
}

// SetLeaseHeld sets whether this process holds the lease on the ledger. Until it is set, the lease
// is not held.
func (m *Mapping) SetLeaseHeld(isHeld bool) { m.change(func(v *values) { v.leaseHeld = isHeld }) }

// SetLeaseExpiry sets when the lease ends unless it is renewed, whichever process holds it.
func (m *Mapping) SetLeaseExpiry(at time.Time) { m.change(func(v *values) { v.leaseExpiry = at }) }

// HoldsLease reports whether this process holds the lease on the ledger, without asking for
// anything else.
func (m *Mapping) HoldsLease() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set.leaseHeld
}

// ask has a func change what is asked for.
func (m *Mapping) ask(f func(q *questions)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.questions)
}

// AskOldest has oldest asked for the age of the oldest change that is not copied; ok is false while
// that is not known.
func (m *Mapping) AskOldest(oldest func() (seconds float64, ok bool)) {
	m.ask(func(q *questions) { q.oldest = oldest })
}

// AskConcurrency has limit asked for how many requests may be in flight at once.
func (m *Mapping) AskConcurrency(limit func() int64) {
	m.ask(func(q *questions) { q.concurrency = limit })
}

// AskCredentials has end asked for when the session of a side ends; ok is false while it has none
// that does.
func (m *Mapping) AskCredentials(side string, end func() (at time.Time, ok bool)) {
	m.ask(func(q *questions) { q.credentials[side] = end })
}

// AskRate has rate asked for how many requests a side may be sent per second; ok is false while
// there is no bound.
func (m *Mapping) AskRate(side string, rate func() (perSecond float64, ok bool)) {
	m.ask(func(q *questions) { q.rates[side] = rate })
}

// AskThrottles has count asked for how often a side asked to slow down.
func (m *Mapping) AskThrottles(side string, count func() int64) {
	m.ask(func(q *questions) { q.throttles[side] = count })
}

// Read returns what is known now. The caller may change it.
func (m *Mapping) Read() Figure {
	m.mu.Lock()
	set, q := m.set, m.questions
	q.credentials, q.rates, q.throttles = maps.Clone(q.credentials), maps.Clone(q.rates), maps.Clone(q.throttles)
	m.mu.Unlock() // a func may take locks of its own, under which this mapping is set
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

// read returns the numbers of a pair, nil for one that is not known.
func (p pair) read() (first, second *int64) {
	if !p.known {
		return nil, nil
	}
	return &p.first, &p.second
}

// answer enters what is asked for into a figure.
func (q questions) answer(f *Figure) {
	f.OldestUnsynced = asked(q.oldest)
	if q.concurrency != nil {
		f.Concurrency = new(q.concurrency())
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

// asked returns the answer of a func, nil where there is no func or no answer.
func asked(f func() (value float64, ok bool)) *float64 {
	if f == nil {
		return nil
	}
	if value, ok := f(); ok {
		return &value
	}
	return nil
}

// moment returns a time in UTC, to the millisecond: what metrics and pages show of it.
func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}
