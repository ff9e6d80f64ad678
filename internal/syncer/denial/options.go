package denial

import (
	"context"
	"iter"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// Lister lists a source in key order.
type Lister interface {
	List(ctx context.Context, r listing.Range) iter.Seq2[listing.Object, error]
}

// Copier copies objects, and checks whether they can be read.
type Copier interface {
	Copy(ctx context.Context, object listing.Object, target copier.Target, record copier.Record) (copier.Result, copier.Ours, error)
	Readable(ctx context.Context, key string) error
}

// Turns limits how many objects are copied at the same time.
type Turns interface {
	Acquire(ctx context.Context) error
	Hold(ctx context.Context) (held context.Context, release func())
}

// Options are the settings of a Detector. All fields are required unless they say otherwise.
type Options struct {
	// Source lists the same objects as the pass. Their keys begin with SourcePrefix.
	Source       Lister
	SourcePrefix string
	// Copier is the Copier that the pass uses.
	Copier Copier
	// Turns is the limit on concurrent copies that the pass uses.
	Turns Turns
	// Ledger records the results of the pass in the ledger.
	Ledger *checkpoint.Pass
	// After returns the part of the pass's plan that follows a key.
	After func(ctx context.Context, key string) plan.Actions
	// Claim durably claims a key before it is copied.
	Claim func(ctx context.Context, key string) error
	// IsReplay is true if the pass is a replay.
	IsReplay bool
	// Now is the clock.
	Now func() time.Time
}
