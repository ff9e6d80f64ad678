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

// Copier copies one object, and asks whether it may be read.
type Copier interface {
	Copy(ctx context.Context, object listing.Object, target copier.Target, record copier.Record) (copier.Result, copier.Ours, error)
	Readable(ctx context.Context, key string) error
}

// Turns bounds the objects that are copied side by side.
type Turns interface {
	Acquire(ctx context.Context) error
	Hold(ctx context.Context) (held context.Context, release func())
}

// Options are what a Detector works with. All fields are required unless they say otherwise.
type Options struct {
	// Source lists what the pass lists, whose keys begin with SourcePrefix.
	Source       Lister
	SourcePrefix string
	// Copier is that of the pass.
	Copier Copier
	// Turns are those of the pass.
	Turns Turns
	// Ledger is the pass in the ledger.
	Ledger *checkpoint.Pass
	// After plans the pass from a key on.
	After func(ctx context.Context, key string) plan.Actions
	// Claim makes a claim on one key durable, before it is copied.
	Claim func(ctx context.Context, key string) error
	// IsReplay says that the pass is not over the whole source.
	IsReplay bool
	// Now is the clock.
	Now func() time.Time
}
