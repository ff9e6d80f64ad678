package denial

import (
	"context"
	"errors"
	"sync"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer/planner"
)

// probe is the result of copying an object out of turn. The walk adopts the copy when it reaches
// the key.
type probe struct {
	version listing.Object
	result  copier.Result
	ours    copier.Ours
	err     error
	made    bool
	isBegun bool // the object can be read, but it needs a multipart copy, which was not started
}

// isCopy reports whether the object was copied.
func (p probe) isCopy() bool { return p.made && p.err == nil && p.version.Key != "" }

// isAllowed reports whether the result proves that the object is not refused. Temporary errors, a
// missing object and cancellation prove nothing.
func (p probe) isAllowed() bool {
	class := awserr.Classify(p.err)
	showsNothing := class.Passes() || class == awserr.Gone || class == awserr.Canceled
	return p.made && !showsNothing && !p.isRefused()
}

func (p probe) isRefused() bool { return p.made && p.err != nil && IsShared(copier.Reason(p.err)) }

// prober copies objects out of turn, and stores the results until the walk reaches their keys.
type prober struct {
	o *Options

	mu    sync.Mutex
	byKey map[string]probe
}

func (p *prober) keep(key string, made probe) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byKey == nil {
		p.byKey = map[string]probe{}
	}
	p.byKey[key] = made
}

func (p *prober) take(key string) (made probe, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	made, ok = p.byKey[key]
	delete(p.byKey, key)
	return made, ok
}

// hasCopied reports whether an object was copied out of turn, and the walk has not reached it.
func (p *prober) hasCopied(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byKey[key].isCopy()
}

// try copies an object before the walk reaches it.
func (p *prober) try(ctx context.Context, a plan.Action) (probe, error) {
	if err := p.o.Claim(ctx, a.Object.Key); err != nil {
		return probe{}, err
	}
	target := p.withProbe(a.Object.Key, planner.TargetOf(a))
	made := probe{version: a.Object, made: true}
	made.result, made.ours, made.err = p.o.Copier.Copy(ctx, a.Object, target, outOfTurn{p.o.Ledger})
	if errors.Is(made.err, errOutOfTurn) {
		made.err = p.o.Copier.Readable(ctx, a.Object.Key)
		made.version = listing.Object{} // the object was not copied
		made.isBegun = made.err == nil
	}
	p.keep(a.Object.Key, made)
	if awserr.Fatal(made.err) || ctx.Err() != nil || errors.Is(made.err, store.ErrLeaseLost) {
		return made, made.err
	}
	return made, nil
}

// withProbe adds to target what a probe may have written under the key at the destination, and
// returns the result.
func (p *prober) withProbe(key string, target copier.Target) copier.Target {
	made, ok := p.take(key)
	switch {
	case !ok:
	case made.err == nil && made.result.DestinationETag != "":
		target.Known, target.Looked, target.Present = made.result.DestinationETag, false, nil
	default:
		target.OursSince = record.Earlier(target.OursSince, made.ours.Since)
	}
	return target
}

// Copy copies an object, or returns the result of a copy that was made out of turn.
func (p *prober) Copy(ctx context.Context, slot *checkpoint.Slot, a plan.Action) (result copier.Result, ours copier.Ours, inTurn bool, err error) {
	made, ok := p.take(a.Object.Key)
	if made.isCopy() && made.version.Same(a.Object.Version) {
		return made.result, copier.Ours{}, false, nil
	}
	target := planner.TargetOf(a)
	if ok {
		p.keep(a.Object.Key, made)
		target = p.withProbe(a.Object.Key, target)
	}
	result, ours, err = p.o.Copier.Copy(ctx, a.Object, target, slot)
	return result, ours, true, err
}

// outOfTurn is the copier.Record of a copy that is made before the walk reserves the object's slot
// in the ledger. It does not allow multipart uploads.
type outOfTurn struct{ *checkpoint.Pass }

var errOutOfTurn = errors.New("an object that is copied out of turn is not copied in parts")

func (outOfTurn) Upload() (record.Upload, bool)                    { return record.Upload{}, false }
func (outOfTurn) UploadBegan(context.Context, record.Upload) error { return errOutOfTurn }
func (outOfTurn) UploadEnded()                                     {}
func (outOfTurn) UploadKept() bool                                 { return false }
