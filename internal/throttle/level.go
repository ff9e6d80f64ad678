package throttle

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// A round ends when roundTime is over and at least roundAnswers answers to requests of the
	// round have arrived.
	roundTime    = time.Second
	roundAnswers = 16
	// maxFailed is the share of broken connections and timeouts above which a round lowers the
	// level.
	maxFailed = 0.05
	// A round is slow if its latency is at least slow times the best latency, and quick if its
	// latency is less than quick times the best latency.
	slow, quick = 2.0, 1.5
	// memory is how long the best latencies are remembered.
	memory = 5 * time.Minute
	// samplesKept is how many of the most recent latencies of a round are kept per operation.
	samplesKept = 64
)

// LevelOptions are the settings of a Level.
type LevelOptions struct {
	// Min and Max bound the level, and Start is its initial value, in concurrent requests. Min is
	// at least 1, Max at least Min, and Start is adjusted to be between them. If Min equals Max,
	// the level is fixed.
	Min, Start, Max int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Level adapts the number of concurrent requests to the service. Once per round it applies the
// first of these rules that matches. A round lasts one second, or longer until 16 answers have
// arrived.
//
//  1. More than one answer in twenty is a timeout or a broken connection: decrease by a quarter,
//     down to Min.
//  2. The latency is at least twice the best latency of the last five minutes: decrease by an
//     eighth, down to Start.
//  3. A [Gate] was full, hardly any request had to wait for a rate, and the latency is less than
//     one and a half times the best latency: increase by a quarter, up to Max, or by a
//     thirty-second if rule 1 or 2 has applied in the last five minutes.
//  4. Otherwise the level stays unchanged.
//
// Every five minutes a level above Start returns to Start for one round, to measure the best
// latencies without a queue of syncd's requests.
//
// Latency is the median of each operation, compared with the best of the same operation. Operations
// whose duration depends on the size of their content count only if they fail. CopyObject counts
// although its duration depends on the size to some degree, because the size is not known here.
// Therefore slow answers never lower the level below Start. Throttling does not change the level:
// the [Controller] handles that.
type Level struct {
	o       LevelOptions
	limit   atomic.Int64
	crowded atomic.Bool // whether a gate was full in this round

	mu    sync.Mutex
	gates []*Gate
	round round
	best  map[string]time.Duration // latency by operation
	// since is when best was last cleared. careful means that the level has been lowered since
	// then.
	since   time.Time
	careful bool
	// resume is the limit to return to after a round at Start, 0 outside such a round.
	resume int
}

// round contains the results of the requests sent in one round.
type round struct {
	number           int
	began            time.Time
	sent, delayed    int
	answered, failed int
	latencies        map[string]*latencies
}

// latencies are the most recent latencies of an operation.
type latencies struct {
	seen int
	last []time.Duration
}

// NewLevel returns a Level at its start.
func NewLevel(o LevelOptions) *Level {
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Min = max(o.Min, 1)
	o.Max = max(o.Max, o.Min)
	o.Start = min(max(o.Start, o.Min), o.Max)
	l := &Level{o: o, best: map[string]time.Duration{}, since: o.Now()}
	l.round = round{began: l.since, latencies: map[string]*latencies{}}
	l.limit.Store(int64(o.Start))
	return l
}

// Limit returns the current limit of concurrent requests.
func (l *Level) Limit() int { return int(l.limit.Load()) }

// Gate returns a new gate that follows the level for the level's lifetime.
func (l *Level) Gate() *Gate {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := &Gate{level: l}
	l.gates = append(l.gates, g)
	return g
}

func (l *Level) fixed() bool { return l == nil || l.o.Min == l.o.Max }

// departure records when and in which round a request was sent.
type departure struct {
	round int
	at    time.Time
}

// sent records that a request is being sent. The parameter delayed is true if the request waited
// for a rate.
func (l *Level) sent(delayed bool) departure {
	if l.fixed() {
		return departure{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.round.sent++
	if delayed {
		l.round.delayed++
	}
	return departure{l.round.number, l.o.Now()}
}

// outcome classifies an answer for the level.
type outcome int

const (
	refused outcome = iota // an answer without information for the level
	served
	broken // a timeout or a broken connection
)

// answered updates the level with the answer to a request.
func (l *Level) answered(d departure, operation string, o outcome) {
	if l.fixed() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if d.round != l.round.number {
		return // the request was sent at another level
	}
	now := l.o.Now()
	l.round.answered++
	if o == broken {
		l.round.failed++
	}
	if o == served && steady(operation) {
		l.round.note(operation, now.Sub(d.at))
	}
	if l.round.answered >= roundAnswers && now.Sub(l.round.began) >= roundTime {
		l.turn(now)
	}
}

// turn ends the round, adjusts the level and begins the next round.
func (l *Level) turn(now time.Time) {
	limit := l.next(now)
	l.round.next(now)
	l.crowded.Store(false)
	if int64(limit) == l.limit.Swap(int64(limit)) {
		return
	}
	for _, g := range l.gates {
		g.follow()
	}
}

// next returns the limit of the next round.
func (l *Level) next(now time.Time) int {
	if l.resume > 0 {
		limit := l.resume
		l.resume = 0
		l.slowness() // called for its effect: it records the latencies of the round at Start
		return limit
	}
	limit := l.decide()
	if now.Sub(l.since) < memory {
		return limit
	}
	clear(l.best)
	l.since, l.careful = now, false
	if limit <= l.o.Start {
		return limit
	}
	l.resume = limit
	return l.o.Start
}

// decide applies the rules of [Level].
func (l *Level) decide() int {
	limit, slowness := l.Limit(), l.slowness()
	switch r := &l.round; {
	case float64(r.failed) > maxFailed*float64(r.answered):
		l.careful = true
		return max(limit*3/4, l.o.Min)
	case slowness >= slow:
		l.careful = true
		return min(limit, max(limit*7/8, l.o.Start))
	case slowness < quick && l.crowded.Load() && r.delayed*10 <= r.sent:
		return min(limit+l.step(limit), l.o.Max)
	default:
		return limit
	}
}

func (l *Level) step(limit int) int {
	if l.careful {
		return max(limit/32, 1)
	}
	return max(limit/4, 1)
}

// slowness returns the ratio of the latencies of the round to the best latencies, and records
// better latencies. It returns 1 if there is nothing to compare.
func (l *Level) slowness() float64 {
	var sum, n float64
	for operation, seen := range l.round.latencies {
		if len(seen.last) < roundAnswers {
			continue // too few for a meaningful median
		}
		median := seen.median()
		best, ok := l.best[operation]
		if !ok || median < best {
			best = median
			l.best[operation] = best
		}
		weight := float64(seen.seen)
		sum += weight * float64(median) / float64(max(best, 1))
		n += weight
	}
	if n == 0 {
		return 1
	}
	return sum / n
}

func (r *round) next(now time.Time) {
	for _, seen := range r.latencies {
		seen.seen, seen.last = 0, seen.last[:0]
	}
	*r = round{number: r.number + 1, began: now, latencies: r.latencies}
}

func (r *round) note(operation string, d time.Duration) {
	seen := r.latencies[operation]
	if seen == nil {
		seen = &latencies{last: make([]time.Duration, 0, samplesKept)}
		r.latencies[operation] = seen
	}
	if len(seen.last) < samplesKept {
		seen.last = append(seen.last, d)
	} else {
		seen.last[seen.seen%samplesKept] = d
	}
	seen.seen++
}

func (s *latencies) median() time.Duration {
	slices.Sort(s.last)
	return s.last[len(s.last)/2]
}
