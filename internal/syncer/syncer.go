// Package syncer runs passes: one traversal of one mapping, from the listing through the plan and the copier into the
// ledger, counted on the way.
//
// It promises that a pass settles every object of its listing exactly once (copied, unchanged, skipped with a reason or
// quarantined with a reason) or says that it did not, that a generation of the ledger is committed only by a pass that
// reached the end, and that an interrupted pass keeps what it has done. One object's failure never stops a pass; dead
// credentials, a missing bucket or a ledger that cannot be written stop it at once, and so does a policy or a key that refuses
// everything, once a few objects elsewhere were refused too. A preview goes the same way up to the
// first copy, without the lease and without a write.
//
// It leaves to the floors beneath what each step means, and to the daemon when a pass begins.
//
// Two words: to drain is to take no new work, finish what is in hand and save; a summary is what became of one pass.
package syncer

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/generation"
	passhistory "syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/metrics"
	"syncd/internal/plan"
	"syncd/internal/throttle"
)

// Lister lists a source in key order.
type Lister interface {
	List(ctx context.Context, r listing.Range) iter.Seq2[listing.Object, error]
}

// Copier copies one object, or takes over a copy that is there, and clears up after copies that were broken off.
type Copier interface {
	Copy(ctx context.Context, object listing.Object, target copier.Target, record copier.Record) (copier.Result, copier.Ours, error)
	Forecast(object listing.Object, target copier.Target) copier.Forecast
	Shown(e record.Entry, target copier.Target, otherKey bool) (isThere, isSure bool)
	Proved(ctx context.Context, e record.Entry, target copier.Target, otherKey bool) (bool, error)
	LeftOf(ctx context.Context, sourceKey string, target copier.Target) (copier.Left, error)
	Look(ctx context.Context, key string) (listing.Object, error)
	Readable(ctx context.Context, key string) error
	DestinationKey(key string) (string, error)
	Clock() time.Time
	There(t time.Time) time.Time
	AbortUpload(ctx context.Context, u record.Upload) error
	LostUploads() bool
	SweepUploads(ctx context.Context, before time.Time, kept []record.Upload) (aborted int, err error)
}

// Turns bounds the objects that are copied side by side. They are given in the order they are asked for. An object whose requests
// wait to be tried again may leave its turn to others meanwhile.
type Turns interface {
	Acquire(ctx context.Context) error
	Hold(ctx context.Context) (held context.Context, release func())
}

// Options are the settings of a Syncer. All fields are required unless they say otherwise.
type Options struct {
	// Mapping is the mapping's name.
	Mapping string
	// Source lists the objects.
	Source Lister
	// Destination lists what lies there, so that it can be adopted; nil adopts nothing.
	Destination Lister
	// Copier copies them.
	Copier Copier
	// Rules decide between copy and skip; the passes in them are filled in from the ledger.
	Rules plan.Rules
	// Settings are remembered with each generation.
	Settings Settings
	// ServiceOf names the service at an endpoint URL: the settings of older generations have the URL. Nil takes them as they are.
	ServiceOf func(endpointURL string) string
	// Rekey allows a pass to copy everything again under a new KMS key.
	Rekey bool
	// Store keeps the ledger, opened with the settings in Ledger.
	Store  store.Store
	Ledger checkpoint.Options
	// Turns bounds the objects that are copied side by side; passes of several mappings may share them.
	Turns Turns
	// DrainTimeout is how long a pass may take to end once a drain began: most of it is for copies in flight to end, the
	// rest to save.
	DrainTimeout time.Duration
	// Terms are what copies cost by; the zero Terms are those of a server-side copy within one region.
	Terms plan.Terms
	// Meter is hung on every client of the mapping.
	Meter *throttle.Meter
	// Metrics is where the mapping is counted.
	Metrics *metrics.Metrics
	// Logger gets one line per pass, and one per object at debug level.
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// ErrDrained says that a pass ended early because it was asked to drain; what it had settled is saved.
var ErrDrained = errors.New("pass was drained before its end")

// Syncer runs the passes of one mapping, one at a time. It holds the mapping's lease from its first pass until Close.
type Syncer struct {
	o       Options
	count   counters
	quoter  plan.Quoter
	backlog *backlog

	running chan struct{} // holds an element while a pass is under way: one at a time
	ledger  *checkpoint.Ledger
	// uploadsHidden says that it was logged that uploads may not be listed, and toldUnconditional that copies are written without
	// conditions.
	uploadsHidden     bool
	toldUnconditional *atomic.Bool

	holds atomic.Bool // the lease

	mu      sync.Mutex
	current *tally // of the pass under way, nil between passes
	past    []passhistory.Pass
}

// New returns a Syncer.
func New(o Options) *Syncer {
	count := newCounters(o.Metrics, o.Mapping)
	o.Store = counted{o.Store, count.storeWrites}
	o.Ledger.Verified = new(generation.Verified)
	s := &Syncer{o: o, count: count, quoter: plan.NewQuoter(o.Terms), backlog: newBacklog(count), running: make(chan struct{}, 1), toldUnconditional: &atomic.Bool{}}
	o.Metrics.OldestUnsynced.Set(func() (float64, bool) { return s.backlog.age(o.Now()) }, o.Mapping)
	return s
}

// Run runs one pass: a new one, or the rest of the one that was interrupted. When ctx ends the pass drains and the error
// is ErrDrained. The summary tells what was done in any case. While another pass is under way Run waits for its end.
func (s *Syncer) Run(ctx context.Context) (Summary, error) { return s.Do(ctx, Order{}) }

// Do runs what is ordered, as Run does.
func (s *Syncer) Do(ctx context.Context, order Order) (Summary, error) {
	s.running <- struct{}{} // a drain that ends ctx ends the other pass too
	defer func() { <-s.running }()
	p := &pass{Syncer: s, hasLost: s.o.Copier.LostUploads(), log: s.o.Logger, tally: newTally(s.o.Mapping), before: s.o.Meter.Counts(), start: s.o.Now(), began: time.Now(), order: order, replay: order.Replay}
	s.show(p.tally)
	defer s.show(nil)
	err := guarded(func() error { return p.run(ctx) })
	p.tellPanic(err)
	p.enter(ctx, err)
	if err != nil && !errors.Is(err, ErrDrained) {
		// What is in memory may not be what is durable: the next pass reads it again.
		if _, isDamage := errors.AsType[*store.CorruptError](err); isDamage {
			s.o.Ledger.Verified.Forget()
		}
		err = errors.Join(err, s.closeLedger())
	}
	return p.end(err), err
}

// Close releases the mapping's lease. It waits for a pass that is under way.
func (s *Syncer) Close() error {
	s.running <- struct{}{}
	defer func() { <-s.running }()
	return s.closeLedger()
}

// Progress returns where the pass under way stands; ok is false between passes.
func (s *Syncer) Progress() (progress Progress, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current == nil {
		return Progress{}, false
	}
	return s.current.progress(), true
}

func (s *Syncer) show(t *tally) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = t
}

func (s *Syncer) openLedger(ctx context.Context) (*checkpoint.Ledger, error) {
	if s.ledger != nil {
		return s.ledger, nil
	}
	ledger, err := checkpoint.Open(ctx, s.o.Store, s.o.Ledger)
	if errors.Is(err, record.ErrNothingWhole) {
		s.o.Logger.Warn("no generation of the ledger is whole, starting over with what is at the destination", "err", err)
		anew := s.o.Ledger
		anew.StartOver = true
		ledger, err = checkpoint.Open(ctx, s.o.Store, anew)
	}
	s.count.lease(err)
	if err != nil {
		return nil, err
	}
	s.ledger = ledger
	s.holds.Store(true)
	if err := s.showLast(ctx, ledger.Manifest()); err != nil {
		s.o.Logger.Warn("last generation was not shown", "err", err)
	}
	s.showQuarantine(ctx)
	if ledger.Generation() == 0 {
		return ledger, s.offerFormer(ctx)
	}
	return ledger, nil
}

func (s *Syncer) closeLedger() error {
	if s.ledger == nil {
		return nil
	}
	ledger := s.ledger
	s.ledger = nil
	s.holds.Store(false)
	s.count.leaseHeld.Set(0)
	return ledger.Close()
}
