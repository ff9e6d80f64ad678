package syncer

import (
	"context"
	"iter"
	"log/slog"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/store"
	"syncd/internal/figure"
	"syncd/internal/listing"
	"syncd/internal/metrics"
	"syncd/internal/plan"
	"syncd/internal/syncer/denial"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/preview"
	"syncd/internal/syncer/provenance"
	"syncd/internal/throttle"
)

// Lister lists a source in key order.
type Lister interface {
	List(ctx context.Context, r listing.Range) iter.Seq2[listing.Object, error]
}

// Copier copies one object, or takes over a copy that is there, and clears up after copies that
// were broken off.
type Copier interface {
	denial.Copier
	planner.Keys
	preview.Copier
	prover
	uploader
	// Clock returns the time of the service.
	Clock() time.Time
}

// Turns bounds the objects that are copied side by side. They are given in the order they are asked
// for. An object whose requests wait to be tried again may leave its turn to others meanwhile.
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
	// Destination lists what it holds already, so that it can be adopted; nil adopts nothing.
	Destination Lister
	// Copier copies them.
	Copier Copier
	// Rules decide between copy and skip; the passes in them are filled in from the ledger.
	Rules plan.Rules
	// Settings are recorded with each generation.
	Settings provenance.Settings
	// Rekey allows a pass to copy everything again under a new KMS key.
	Rekey bool
	// Store keeps the ledger, opened with the settings in Ledger.
	Store  store.Store
	Ledger checkpoint.Options
	// Turns bounds the objects that are copied side by side; passes of several mappings may share
	// them.
	Turns Turns
	// DrainTimeout is how long a pass may take to end once a drain began: most of it is for copies
	// in flight to end, the rest to save.
	DrainTimeout time.Duration
	// Terms are what copies cost by; the zero Terms are those of a server-side copy within one
	// region.
	Terms plan.Terms
	// Meter is hung on every client of the mapping.
	Meter *throttle.Meter
	// Metrics is where the mapping is counted.
	Metrics *metrics.Metrics
	// Figure is set to what is known of the mapping.
	Figure *figure.Mapping
	// Logger gets one line per pass, and one per object at debug level.
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

const (
	// saveTimeout bounds a save once the context of its pass has ended; before, it may take as long
	// as a large ledger needs.
	saveTimeout = 10 * time.Second
	// saveShare is the part of a drain that is kept for the save, up to saveTimeout: what is copied
	// and not saved is lost.
	saveShare = 5
)

// saveTime returns how long a save may take once the pass drains.
func (o *Options) saveTime() time.Duration { return min(saveTimeout, o.DrainTimeout/saveShare) }

// holdFor is how many actions the walk may take while an object is held: half of the ledger's
// window, and no more than the plan is ahead.
func (o *Options) holdFor() int {
	if window := o.Ledger.Window; window > 0 {
		return min(window/2, planAhead)
	}
	return planAhead
}
