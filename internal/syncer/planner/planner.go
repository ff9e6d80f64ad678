// Package planner decides what a pass of a mapping does with each object. It serves both passes and
// previews.
//
// It merges the source listing with the ledger entries of earlier passes. It also reads the current
// settings, the settings of the last generation and the claims. From these it determines which
// copies belong to the mapping, which copies were made with another KMS key, storage class or
// place, and which keys were claimed but not recorded. If the ledger is incomplete, the planner
// also lists the destination, so that existing copies can be adopted. It refuses a change of the
// KMS key, and reports its cost, unless the change was requested.
//
// The only requests that it sends are listings and, in a replay, one lookup per object. The merge
// itself is in package plan; the syncer carries out the actions.
//
// Two terms: a Past is the ledger's record of earlier passes; a claim records that a pass may have
// written keys that have no ledger entry.
package planner

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/listing/ranges"
	"syncd/internal/plan"
	"syncd/internal/syncer/provenance"
)

// Lister lists a bucket in key order.
type Lister interface {
	List(ctx context.Context, r listing.Range) iter.Seq2[listing.Object, error]
}

// Keys maps source keys to destination keys, and looks up objects by source key.
type Keys interface {
	DestinationKey(key string) (string, error)
	Look(ctx context.Context, key string) (listing.Object, error)
}

// Options are the settings for planning the passes of a mapping.
type Options struct {
	// Mapping is the mapping to plan for.
	Mapping provenance.Mapping
	// Source lists the objects to copy, and Destination the objects that already exist at the
	// destination. If Destination is nil, no objects are adopted.
	Source, Destination Lister
	// Pages lists the source page by page, so that several ranges can be listed at once. If it is
	// nil, the source is listed in key order only.
	Pages ranges.Pager
	// Limit limits how many ranges all passes of a process list at once; nil means no limit.
	Limit *ranges.Limit
	// RangeKeys is how many keys of the ledger a range has at least when the listing begins. 0 means
	// 32,000: each range can cost half a page of a thousand keys more.
	RangeKeys int64
	// Guard calls a func that a goroutine begins with, and turns a panic into an error. If it is
	// nil, a panic while the source is listed page by page ends the process.
	Guard func(do func() error) error
	// Keys are the keys of the mapping.
	Keys Keys
	// Rules decide between copy and skip; the planner fills in the pass numbers from the ledger.
	Rules plan.Rules
	// Rekey allows a pass to copy everything again under a new KMS key.
	Rekey bool
	// DeleteAfter is how many passes in a row must have missed an object before its copy is deleted; 0
	// keeps all copies.
	DeleteAfter int64
	// Logger logs a warning if listing the destination is denied.
	Logger *slog.Logger
}

// Selector selects objects in quarantine.
type Selector func(record.Quarantined) bool

// Request describes one pass.
type Request struct {
	// Replay selects the quarantined objects to retry. If it is nil, the pass covers the whole
	// source.
	Replay Selector
	// Verify compares the destination with the plan, if it is not nil. The plan then also mends what
	// differs.
	Verify *plan.Verification
	// RetryAll makes the pass try all objects in quarantine, whether they are due or not.
	RetryAll bool
	// Rekey allows this pass to use a new KMS key.
	Rekey bool
	// IsFirst means that the ledger is empty.
	IsFirst bool
	// Start is when the pass starts.
	Start time.Time
}

// Past is the ledger's record of earlier passes.
type Past interface {
	Number() int64
	Memo() string
	Claims() []record.Claim
	Open() []record.Range
	Readers() int
	Bounds(n int, least int64) []string
	Base(ctx context.Context) iter.Seq2[record.Entry, error]
	Previous(ctx context.Context, after string) iter.Seq2[record.Entry, error]
	PreviousQuarantine(ctx context.Context, after string) iter.Seq2[record.Quarantined, error]
}

var _ Past = (*checkpoint.Pass)(nil)

// ErrNoListing means that a verification was requested for a mapping whose destination is not listed.
var ErrNoListing = errors.New("verify must list the destination")

// ErrMoved means that a replay was requested after the mapping's source or destination changed.
var ErrMoved = errors.New("the mapping's source or destination has changed since its last pass")

// Planner plans one pass. Call Follow, Check and Begin in this order, then EachPart.
type Planner struct {
	o       Options
	request Request
	log     *slog.Logger
	claims  claimReader
	last    provenance.Generation // the last generation's settings
	since   provenance.Memo       // the memo of a pass that starts now
	rules   plan.Rules
	// hidden means that the destination should have been listed to find unrecorded copies, but
	// could not be: no Destination is set, or the listing was denied.
	hidden atomic.Bool
	// warned is used to log only once that the listing was denied.
	warned sync.Once
}

// New returns a Planner for one pass.
func New(o Options, r Request) *Planner {
	return &Planner{o: o, request: r, log: o.Logger, claims: claimReader{o.Mapping}}
}

// Follow reads last, the settings of the last generation, and returns the settings of the next
// pass, which has the number pass.
func (p *Planner) Follow(last record.Settings, pass int64) (now record.Settings, err error) {
	p.last, err = provenance.ReadGeneration(last)
	p.since = p.last.Next(p.o.Mapping.Settings, pass)
	f := provenance.Fingerprint{Settings: p.o.Mapping.Settings}
	if p.request.Replay != nil {
		f.Replay = p.request.Start.UnixNano()
	}
	return provenance.Texts(f, p.since), err
}

// Check refuses a pass that could have unexpected effects: a replay after the source or destination
// changed, or any pass under a new KMS key, which copies all objects again. The error is ErrMoved
// or a *RekeyError.
func (p *Planner) Check(ctx context.Context) error {
	if p.request.Verify != nil && p.o.Destination == nil {
		return ErrNoListing
	}
	if p.request.Replay != nil && p.since.PlaceSince > p.last.PlaceSince {
		return ErrMoved
	}
	if p.o.Rekey || p.request.Rekey {
		return nil
	}
	return refuseNewKey(ctx, p.o.Mapping, p.last, p.since.PlaceSince)
}

// Begin computes the rules of the pass. An entry counts as the pass's own if the pass that wrote
// the entry has a number of at least ownSince.
func (p *Planner) Begin(past Past, ownSince int64, now time.Time, log *slog.Logger) error {
	p.log = log
	since, err := provenance.ReadMemo(past.Memo())
	p.rules = p.o.Rules
	p.rules.Now, p.rules.Retry, p.rules.OwnSince = now, p.request.Replay, ownSince
	p.rules.TargetSince, p.rules.FormerKeys = since.TargetSince, since.FormerKeys
	p.rules.PlaceSince, p.rules.ClassSince = since.PlaceSince, since.ClassSince
	p.rules.Claimed = p.claims.claimed(past.Claims())
	if p.request.Replay == nil && !p.hasMoved() {
		p.rules.DeleteAfter, p.rules.Within, p.rules.Pass = p.o.DeleteAfter, p.o.Mapping.Settings.Source.Contains, past.Number()
	}
	hasChanged := p.last.IsKnown && !p.last.Same(p.o.Mapping.Settings) // objects that failed before can succeed now
	if p.rules.Retry == nil && (p.request.RetryAll || hasChanged) {
		p.rules.Retry = func(record.Quarantined) bool { return true }
	}
	return err
}

// After returns what the pass plans for the keys after a key, whether or not they are settled. It does
// not list the destination.
func (p *Planner) After(ctx context.Context, pass *checkpoint.Pass, after string) plan.Actions {
	return p.withoutDestination(ctx, pass, whole{p.o.Source, listing.Range{After: after}})
}

// Left returns the part of a claim that still applies once the pass has settled everything that the
// mapping writes; ok is false if no part applies.
func (p *Planner) Left(c record.Claim) (rest record.Claim, ok bool) {
	return p.claims.left(c, p.hidden.Load())
}

// hasMoved reports whether this is the first pass with the current source and destination.
func (p *Planner) hasMoved() bool { return p.rules.PlaceSince >= p.rules.OwnSince }
