package daemon

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/control"
	"syncd/internal/throttle"
)

const (
	// standBy is how often a process asks for a lease that another one holds. A pass is due the moment it gets it: two tasks
	// are alive at once in every rolling deployment, and the one that stays should not wait for its next tick.
	// Asking S3 is a GET each time, which makes 0.15 cents an hour and mapping.
	standBy = time.Second
)

// keeper keeps one mapping under one configuration.
type keeper struct {
	d    *Daemon
	m    Mapping
	log  *slog.Logger
	done chan struct{} // closed when it has ended
	// place is its own among the places of all passes.
	place *throttle.Member
	// startDelay is how long the first pass waits that is due when it starts.
	startDelay time.Duration
	// retire has no further pass begin; stopNow drains the one under way too.
	retire, stopNow context.CancelFunc

	// opening is held while the mapping is opened.
	opening sync.Mutex
	// wake holds an element when there is something new to do; nonce tells the claims of this keeper from those of others.
	wake  chan struct{}
	nonce string
	// claiming is held while a request is claimed.
	claiming sync.Mutex

	mu     sync.Mutex
	orders []*order // in the order they came
	former *keeper  // of the same mapping, which has to end first; nil when it has
	runner Runner   // nil until it is opened
	// reading is that of the ledger in progress, nil for none; isPassing says that a pass runs, in which there is none.
	reading   *reading
	isPassing bool
	condition
}

// condition is how a mapping is.
type condition struct {
	// begun says that it waits or works; running that a pass is asked for or under way, since began.
	begun, running bool
	began          time.Time
	// halt tells the pass that runs to end; nil when none does, or when it was told so for want of a sign of life.
	halt context.CancelCauseFunc
	// queued says that a pass is due and does not run yet; joined is since when it waits in line, zero while it does not.
	queued bool
	joined time.Time
	// standing says that another process holds the lease, as held tells.
	standing bool
	held     *checkpoint.LeaseHeldError
	// paused says that the mapping is, and who has paused it; nil when it is not. Mode is the request that made it so.
	paused   *control.Paused
	mode     string
	stopping bool
	since    time.Time // the last change of what is above
	due      time.Time // when the next pass is; zero when none is
	last     *LastPass
	failure  *Failure      // of the last pass, nil when it did not fail
	backOff  time.Duration // that the last failure asks for, 0 for none
	// decided is when the pass ended that failure is of, or that ended the failures; isRecalled says that it is known from the history alone.
	decided    time.Time
	isRecalled bool
	// asked says that a pass has ended or the lease was asked for; leased that the last one had it.
	asked, leased bool
	// facts are those of the last look at the metrics, judged the state that was seen last and since when.
	facts  facts
	judged struct {
		state State
		since time.Time
	}
	trail trail
	pulse pulse
}

func newKeeper(d *Daemon, m Mapping, former *keeper) *keeper {
	k := &keeper{
		d: d, m: m, log: d.o.Logger.With("mapping", m.Name), former: former, place: d.o.Places.share.Member(),
		done: make(chan struct{}), wake: make(chan struct{}, 1), nonce: rand.Text(), condition: condition{since: d.o.Now()},
	}
	if former != nil {
		former.mu.Lock()
		defer former.mu.Unlock()
		k.paused, k.mode = former.paused, former.mode
	}
	if d.o.Control != nil && k.paused == nil {
		d.o.Metrics.Paused.WithLabelValues(m.Name).Set(0)
	}
	return k
}

// stop drains, and the former keeper with it.
func (k *keeper) stop() {
	k.mu.Lock()
	k.stopping = true
	former := k.former
	k.mu.Unlock()
	if former != nil {
		former.stop()
	}
	k.stopNow()
}

// keep runs the passes of the mapping until ctx ends, or waiting, which ends when it is retired.
func (k *keeper) keep(ctx, waiting context.Context) error {
	k.succeed()
	stopRecall := k.recall(waiting)
	for next := k.first(); ; {
		tick, why := k.until(waiting, next)
		if why == ends {
			stopRecall()
			return k.end()
		}
		how := k.attempt(ctx, waiting, why == ticks)
		next = k.next(next, tick, why, how)
	}
}

// end gives up what runs the passes.
func (k *keeper) end() error {
	err := k.close()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.begun, k.since = false, k.d.o.Now()
	return err
}

// next returns when there is something to do again after an attempt, which was for a tick of an appointment or for requests.
func (k *keeper) next(a appointment, tick time.Time, why call, how ending) appointment {
	now := k.clock()
	switch {
	case how == stoodBy && k.m.Schedule == nil:
		return appointment{pause: standBy, isDeaf: true}
	case how == stoodBy:
		return appointment{from: now, tick: now, pause: standBy, isDeaf: true}
	case how == gaveWay, how == left:
		return appointment{from: now, tick: now}
	case why == ticks && how != aside:
		return k.after(tick, now)
	case how == ended && !a.tick.IsZero() && !a.tick.Add(a.jitter).After(tick): // a pass that was asked for when one was due
		return k.after(a.tick, now)
	}
	a.pause = k.pauseFor()
	if a.isDeaf = k.isInVain(); a.isDeaf {
		a.pause = max(a.pause, boardEvery) // they could not be claimed or answered
	}
	return a
}

// succeed waits for the former keeper to end, and takes over how passes fare: another configuration does not show that it is better.
func (k *keeper) succeed() {
	former := k.former
	var then condition
	if former != nil {
		<-former.done
		former.mu.Lock()
		then = former.condition
		former.mu.Unlock()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.former, k.begun, k.since = nil, true, k.d.o.Now()
	k.last, k.decided, k.facts, k.judged = then.last, then.decided, then.facts, then.judged
	k.fail(then.failure)
	k.isRecalled = then.failure != nil
}
