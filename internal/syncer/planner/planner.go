// Package planner decides what a pass of a mapping does with each object. It serves passes that are
// run and previews of them.
//
// It merges the source's listing with what the ledger has of earlier passes, by the rules that
// follow from the present settings and those of the last generation: which copies are the mapping's
// own, which were made under another key, class or place, what was claimed and not recorded. Where
// the ledger does not know, it compares with what the destination holds, so that it can be adopted.
// A change of the key is refused with its cost unless it was asked for.
//
// It sends no request but listings and, in a replay, a look at each object. It leaves the merge
// itself to plan, and to the syncer what is done with an action.
//
// Two words: a Past is what the ledger has of the passes before; a claim says that a pass may have
// written keys which no entry names.
package planner

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer/provenance"
)

// Lister lists a bucket in key order.
type Lister interface {
	List(ctx context.Context, r listing.Range) iter.Seq2[listing.Object, error]
}

// Keys says where a key is copied to, and looks an object up by its key at the source.
type Keys interface {
	DestinationKey(key string) (string, error)
	Look(ctx context.Context, key string) (listing.Object, error)
}

// Options are what the plans of a mapping go by.
type Options struct {
	// Mapping says from where to where it copies.
	Mapping provenance.Mapping
	// Source lists the objects, Destination what it holds already; a nil Destination adopts
	// nothing.
	Source, Destination Lister
	// Keys are the mapping's.
	Keys Keys
	// Rules decide between copy and skip; the passes in them are filled in from the ledger.
	Rules plan.Rules
	// Rekey allows a pass to copy everything again under a new KMS key.
	Rekey bool
	// Logger gets a line where the destination may not be listed.
	Logger *slog.Logger
}

// Selector chooses objects of the quarantine.
type Selector func(record.Quarantined) bool

// Request is what one pass is asked for.
type Request struct {
	// Replay chooses what is tried again of the quarantine by a pass over nothing else; nil in one
	// over the whole source.
	Replay Selector
	// Rekey allows this pass a new KMS key.
	Rekey bool
	// IsFirst says that the ledger holds nothing.
	IsFirst bool
	// Start is when the pass begins.
	Start time.Time
}

// Past is what the ledger has for a pass of those before it.
type Past interface {
	Number() int64
	Mark() string
	Memo() string
	Claims() []record.Claim
	Base(ctx context.Context) iter.Seq2[record.Entry, error]
	Previous(ctx context.Context) iter.Seq2[record.Entry, error]
	PreviousQuarantine(ctx context.Context) iter.Seq2[record.Quarantined, error]
}

var _ Past = (*checkpoint.Pass)(nil)

// ErrMoved says that a replay was asked for after the mapping's source or destination has changed.
var ErrMoved = errors.New("the mapping copies from or to another place than in its last pass")

// Planner plans one pass: Follow, Check and Begin in this order, then Actions.
type Planner struct {
	o       Options
	request Request
	log     *slog.Logger
	claims  claimReader
	last    provenance.Generation // what the last one was made under
	since   provenance.Memo       // of a pass that begins now
	rules   plan.Rules
	// hidden says that the destination was to be listed for what an earlier process left, and was
	// not.
	hidden atomic.Bool
}

// New returns the planner of a pass.
func New(o Options, r Request) *Planner {
	return &Planner{o: o, request: r, log: o.Logger, claims: claimReader{o.Mapping}}
}

// Follow reads under which settings the last generation was made, and returns those of a pass of
// that number, which follows it.
func (p *Planner) Follow(last record.Settings, pass int64) (now record.Settings, err error) {
	p.last, err = provenance.ReadGeneration(last)
	p.since = p.last.Next(p.o.Mapping.Settings, pass)
	f := provenance.Fingerprint{Settings: p.o.Mapping.Settings}
	if p.request.Replay != nil {
		f.Replay = p.request.Start.UnixNano()
	}
	return provenance.Texts(f, p.since), err
}

// Check refuses a pass that would do what was not asked for: a replay after a move, or anything
// under a new key, because all objects are copied again for that. The error is then ErrMoved or a
// *RekeyError.
func (p *Planner) Check(ctx context.Context) error {
	if p.request.Replay != nil && p.since.PlaceSince > p.last.PlaceSince {
		return ErrMoved
	}
	if p.o.Rekey || p.request.Rekey {
		return nil
	}
	return refuseNewKey(ctx, p.o.Mapping, p.last, p.since.PlaceSince)
}

// Begin finds the rules of the pass. Entries of passes from ownSince on are its own.
func (p *Planner) Begin(past Past, ownSince int64, now time.Time, log *slog.Logger) error {
	p.log = log
	since, err := provenance.ReadMemo(past.Memo())
	p.rules = p.o.Rules
	p.rules.Now, p.rules.Retry, p.rules.OwnSince, p.rules.After = now, p.request.Replay, ownSince, past.Mark()
	p.rules.TargetSince, p.rules.FormerKeys = since.TargetSince, since.FormerKeys
	p.rules.PlaceSince, p.rules.ClassSince = since.PlaceSince, since.ClassSince
	p.rules.Claimed = p.claims.claimed(past.Claims())
	if p.rules.Retry == nil && p.last.IsKnown && !p.last.Same(p.o.Mapping.Settings) {
		p.rules.Retry = func(record.Quarantined) bool { return true } // what failed there may succeed here
	}
	return err
}

// Actions plans the pass from what is known of those before.
func (p *Planner) Actions(ctx context.Context, past Past) plan.Actions {
	if p.request.Replay != nil {
		return plan.Replay(ctx, past.Previous(ctx), past.PreviousQuarantine(ctx), p.o.Keys.Look, p.rules)
	}
	source := p.o.Source.List(ctx, listing.Range{After: past.Mark()})
	actions := plan.Diff(source, past.Previous(ctx), past.PreviousQuarantine(ctx), p.rules)
	return p.withDestination(ctx, past, p.withInherited(ctx, past, actions))
}

// After plans the pass from a key on, without a look at the destination.
func (p *Planner) After(ctx context.Context, pass *checkpoint.Pass, after string) plan.Actions {
	rules := p.rules
	rules.After = after
	previous, aside := pass.PreviousAfter(ctx, after), pass.PreviousQuarantineAfter(ctx, after)
	if p.request.Replay != nil {
		return plan.Replay(ctx, previous, aside, p.o.Keys.Look, rules)
	}
	return p.withInherited(ctx, pass, plan.Diff(p.o.Source.List(ctx, listing.Range{After: after}), previous, aside, rules))
}

// Left returns what is left of a claim once the pass has settled all that the mapping writes.
func (p *Planner) Left(c record.Claim) (rest record.Claim, ok bool) {
	return p.claims.left(c, p.hidden.Load())
}

// hasMoved reports whether this is the pass that copies from or to another place for the first
// time.
func (p *Planner) hasMoved() bool { return p.rules.PlaceSince >= p.rules.OwnSince }
