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
	"syncd/internal/listing/ranges"
	"syncd/internal/metrics"
	"syncd/internal/plan"
	"syncd/internal/syncer/deletion"
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

// Copier copies objects, adopts copies that already exist, and cleans up after interrupted copies.
type Copier interface {
	denial.Copier
	planner.Keys
	preview.Copier
	deletion.Deleter
	prover
	uploader
	// Clock returns the current time by the service's clock.
	Clock() time.Time
}

// Turns limits how many objects are copied at the same time. Turns are given in the order of the
// Acquire calls. A copy that waits before it retries a request may lend its turn to another copy
// meanwhile.
type Turns interface {
	Acquire(ctx context.Context) error
	Hold(ctx context.Context) (held context.Context, release func())
}

// Options are the settings of a Syncer. All fields are required unless they say otherwise.
type Options struct {
	// Mapping is the mapping's name.
	Mapping string
	// Source lists the objects to copy.
	Source Lister
	// Pages lists the source page by page, so that several ranges can be listed at once. If it is
	// nil, the source is listed in key order only.
	Pages ranges.Pager
	// Limit limits how many ranges all mappings list at once; nil means no limit.
	Limit *ranges.Limit
	// RangeKeys is how many keys of the ledger a range has at least when its listing begins. 0 means
	// planner.Options.RangeKeys's default.
	RangeKeys int64
	// Destination lists the objects that already exist at the destination, so that they can be
	// adopted. If it is nil, no objects are adopted.
	Destination Lister
	// Copier copies the objects.
	Copier Copier
	// Rules decide which objects are copied and which are skipped. The Syncer fills in the pass
	// numbers from the ledger.
	Rules plan.Rules
	// Delete says when copies of deleted objects are deleted. The zero value keeps them.
	Delete deletion.Settings
	// Inspect is the share of the copies that a scheduled verification inspects, from 0 to 1.
	Inspect float64
	// Settings are recorded with each generation.
	Settings provenance.Settings
	// Rekey allows a pass to copy everything again under a new KMS key.
	Rekey bool
	// Store stores the ledger, which is opened with the options in Ledger.
	Store  store.Store
	Ledger checkpoint.Options
	// Turns limits how many objects are copied at the same time. Several mappings can share one
	// value.
	Turns Turns
	// DrainTimeout is how long a pass may take to end once a drain starts. A fifth of that time, at
	// most 10 seconds, is reserved for the save, and the remaining time is for copies in flight.
	DrainTimeout time.Duration
	// Terms determine the prices of copies. The zero Terms mean server-side copies within one
	// region.
	Terms plan.Terms
	// Meter counts the requests of all clients of the mapping.
	Meter *throttle.Meter
	// Metrics are the Prometheus metrics that the mapping updates.
	Metrics *metrics.Metrics
	// Figure receives the current state of the mapping for metrics and the status page.
	Figure *figure.Mapping
	// Logger logs one line per pass, and one line per object at debug level.
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

const (
	// saveTimeout limits a save once the context of its pass has ended. Until then a save has no
	// time limit, because saving a large ledger takes time.
	saveTimeout = 10 * time.Second
	// One part in saveShare of the drain time, at most saveTimeout, is reserved for the save,
	// because copies that are not saved must be made again.
	saveShare = 5
)

// saveTime returns how long a save may take once the pass drains.
func (o *Options) saveTime() time.Duration { return min(saveTimeout, o.DrainTimeout/saveShare) }

// holdFor returns how many actions the walk may take while a refused object is held: half of the
// ledger's window, but at most planAhead.
func (o *Options) holdFor() int {
	if window := o.Ledger.Window; window > 0 {
		return min(window/2, planAhead)
	}
	return planAhead
}
