package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

const (
	// samples is in how many places elsewhere objects are tried, and fewSamples when each of them is tried again and again; probes is how
	// many of those that were refused the next pass tries again.
	samples    = 6
	fewSamples = 2
	probes     = 4
	// lookedAt is how many keys are compared to find one to try, choices of how many objects some are tried.
	lookedAt = 900
	choices  = 16
)

// judge decides what it means that so many objects were refused in turn: nil says that it is a stretch of the keys, which stops
// nothing that comes after it. It tries objects elsewhere, by copying them, which is what a pass does anyway; and where all are
// refused, it asks again for what was copied before.
func (p *pass) judge(ctx context.Context, a plan.Action, cause error) (*RefusedError, error) {
	inTurn, last, witness := p.refusals.turn()
	places, err := listing.Beyond(last, len(p.o.Settings.Source.Prefix), p.firstAfter(ctx))
	if err != nil {
		return nil, err
	}
	side := sync.OnceValues(func() (string, error) { return p.sideThatRefuses(ctx, a.Object.Key) })
	after := []string{a.ListedAfter}
	for _, place := range spaced(places, samplesFor(cause)) {
		tried, err := p.tryAfter(ctx, place.After, copier.Reason(cause))
		switch {
		case err != nil:
			return nil, err
		case tried.isBegun:
			// More is asked for once there are parts: an object that is only begun shows nothing of that.
			if at, err := side(); err != nil || at == sideSource {
				return nil, err
			}
			after = append(after, place.After)
		case tried.isAllowed():
			return nil, nil
		case tried.isRefused():
			after = append(after, place.After)
		}
	}
	if len(after) == 1 {
		return nil, nil // nothing else is to be copied, so that going on costs little
	}
	at, err := side()
	if err != nil {
		return nil, err
	}
	if isStretch, err := p.isStretch(ctx, at, cause, witness); err != nil || isStretch {
		return nil, err
	}
	refused := &RefusedError{InTurn: inTurn, Elsewhere: len(after) - 1, Side: at, Err: cause}
	if isPassing(copier.Reason(cause)) {
		return refused, nil
	}
	now := p.o.Now()
	record := &record.Refusal{Reason: copier.Reason(cause), Since: now, WalkedAt: now, After: spaced(after, probes)}
	if former, ok := p.ledger.Refusal(); ok {
		record.Since = former.Since
	}
	refused.record, record.Detail = record, refused.Error()
	return refused, nil
}

// samplesFor is in how many places objects are tried elsewhere.
func samplesFor(cause error) int {
	if isPassing(copier.Reason(cause)) {
		return fewSamples
	}
	return samples
}

// spaced returns n of the elements at most, the first and the last among them.
func spaced[T any](all []T, n int) []T {
	if len(all) <= n {
		return all
	}
	some := make([]T, 0, n)
	for i := range n {
		some = append(some, all[i*(len(all)-1)/(n-1)])
	}
	return some
}

// firstAfter lists one key.
func (p *pass) firstAfter(ctx context.Context) listing.Next {
	return func(after string) (key string, ok bool, err error) {
		for object, err := range p.o.Source.List(ctx, listing.Range{After: after}) {
			return object.Key, err == nil, err
		}
		return "", false, nil
	}
}

// tryAfter copies some of the first objects after a key that must be copied, until one is not refused. A trial that was not made says
// that there is none. The reason is why others were refused: of what takes long to fail one is enough.
func (p *pass) tryAfter(ctx context.Context, after, reason string) (made trial, err error) {
	chosen, err := p.choose(p.planAfter(ctx, max(after, p.ledger.Mark())))
	if err != nil {
		return trial{}, err
	}
	for _, a := range chosen {
		if made, err = p.tryOne(ctx, a); err != nil || made.isAllowed() || isPassing(reason) {
			return made, err
		}
	}
	return made, nil
}

// tryOne copies an object before the walk gets there.
func (p *pass) tryOne(ctx context.Context, a plan.Action) (trial, error) {
	if err := p.claimKey(ctx, a.Object.Key); err != nil {
		return trial{}, err
	}
	target := p.withTrial(a.Object.Key, targetOf(a))
	made := trial{version: a.Object, made: true}
	made.result, made.ours, made.err = p.o.Copier.Copy(ctx, a.Object, target, outOfTurn{p.ledger})
	if errors.Is(made.err, errOutOfTurn) {
		made.err = p.o.Copier.Readable(ctx, a.Object.Key)
		made.version = listing.Object{} // it was not copied
		made.isBegun = made.err == nil
	}
	p.trials.keep(a.Object.Key, made)
	if awserr.Fatal(made.err) || ctx.Err() != nil || errors.Is(made.err, store.ErrLeaseLost) {
		return made, made.err
	}
	return made, nil
}

// choose returns some of the first objects of a plan that must be copied: the smallest, which costs least, and two more, because the
// smallest may be of a kind of its own, such as markers.
func (p *pass) choose(actions plan.Actions) (chosen []plan.Action, err error) {
	var found []plan.Action
	looked := 0
	for a, err := range actions {
		if err != nil {
			return nil, err
		}
		if a.Kind == plan.Copy && a.Reason != plan.Unproven {
			found = append(found, a)
		}
		if looked++; looked == lookedAt || len(found) == choices || len(found) > 0 && p.replay != nil {
			break // a replay looks each of them up
		}
	}
	if len(found) <= 1 {
		return found, nil
	}
	slices.SortStableFunc(found, func(a, b plan.Action) int { return cmp.Compare(a.Object.Size, b.Object.Size) })
	return []plan.Action{found[0], found[len(found)/2], found[len(found)-1]}[:min(len(found), 3)], nil
}

// planAfter plans the pass from a key on.
func (p *pass) planAfter(ctx context.Context, after string) plan.Actions {
	rules := p.rules
	rules.After = after
	previous, aside := p.ledger.PreviousAfter(ctx, after), p.ledger.PreviousQuarantineAfter(ctx, after)
	if p.replay != nil {
		return plan.Replay(ctx, previous, aside, p.o.Copier.Look, rules)
	}
	return p.inherit(ctx, p.ledger, plan.Diff(p.o.Source.List(ctx, listing.Range{After: after}), previous, aside, rules))
}

// claimKey makes a claim on one key durable.
func (p *pass) claimKey(ctx context.Context, key string) error {
	patient, giveUp := outlive(ctx, p.saveTime())
	defer giveUp()
	return p.ledger.ClaimKey(patient, key, p.o.Copier.Clock())
}

// outOfTurn is the record of a copy that is made before its slot is reserved: it makes no upload.
type outOfTurn struct{ *checkpoint.Pass }

var errOutOfTurn = errors.New("an object that is tried out of turn is not copied in parts")

func (outOfTurn) Upload() (record.Upload, bool)                    { return record.Upload{}, false }
func (outOfTurn) UploadBegan(context.Context, record.Upload) error { return errOutOfTurn }
func (outOfTurn) UploadEnded()                                     {}
func (outOfTurn) UploadKept() bool                                 { return false }

// withTrial adds what a trial may have left at the destination to what is known of it.
func (p *pass) withTrial(key string, target copier.Target) copier.Target {
	made, ok := p.trials.take(key)
	switch {
	case !ok:
	case made.err == nil && made.result.DestinationETag != "":
		target.Known, target.Looked, target.Present = made.result.DestinationETag, false, nil
	default:
		target.OursSince = earlier(target.OursSince, made.ours.Since)
	}
	return target
}

// copyOnce copies an object, or takes over the copy that was made of it out of turn.
func (p *pass) copyOnce(ctx context.Context, slot *checkpoint.Slot, a plan.Action) (result copier.Result, ours copier.Ours, inTurn bool, err error) {
	made, ok := p.trials.take(a.Object.Key)
	if ok && made.err == nil && made.version.Key != "" && made.version.Same(a.Object.Version) {
		return made.result, copier.Ours{}, false, nil
	}
	target := targetOf(a)
	if ok {
		p.trials.keep(a.Object.Key, made)
		target = p.withTrial(a.Object.Key, target)
	}
	result, ours, err = p.o.Copier.Copy(ctx, a.Object, target, slot)
	return result, ours, true, err
}

// sideThatRefuses returns the side on which an object is refused: the source where it may not even be read.
func (p *pass) sideThatRefuses(ctx context.Context, key string) (string, error) {
	isRefused, err := p.isUnreadable(ctx, key)
	switch {
	case err != nil:
		return "", err
	case isRefused:
		return sideSource, nil
	default:
		return sideDestination, nil
	}
}

// isStretch reports whether the refusal is about some of the keys: an object that was copied before may still be read, or written.
func (p *pass) isStretch(ctx context.Context, side string, cause error, witness listing.Object) (bool, error) {
	switch {
	case p.replay != nil:
		return witness.Key != "", nil // no other pass takes over what it has copied
	case side == sideDestination && isOfKey(cause):
		return false, nil // there is one key for all copies, and a copy is asked for the key after everything else
	}
	known, err := p.witnesses(ctx, witness)
	if err != nil {
		return false, err
	}
	for _, o := range known {
		isRefused, err := p.isStillRefused(ctx, side, o)
		if errors.Is(err, errOutOfTurn) {
			continue // it would be copied in parts, of which none was made
		}
		if err != nil || !isRefused {
			return true, err
		}
	}
	return false, nil
}

// isOfKey reports whether it was a KMS key that refused.
func isOfKey(cause error) bool {
	action, _ := awserr.Refused(cause)
	reason := awserr.Class(copier.Reason(cause))
	return reason == awserr.KeyDisabled || reason == awserr.NoKey || strings.HasPrefix(action, "kms:")
}

// witnesses are objects that were copied before: by this pass, or, from several places of the ledger, by earlier ones or before it
// was interrupted.
func (p *pass) witnesses(ctx context.Context, own listing.Object) (known []listing.Object, err error) {
	if own.Key != "" {
		known = append(known, own)
	}
	byKey := map[string]listing.Object{}
	next := func(after string) (key string, ok bool, err error) {
		for e, err := range p.ledger.CopiedAfter(ctx, after) {
			byKey[e.Key] = listing.Object{Key: e.Key, Version: e.Source}
			return e.Key, err == nil, err
		}
		return "", false, nil
	}
	first, ok, err := next("")
	if !ok || err != nil {
		return known, err
	}
	places, err := listing.Beyond(first, 0, next)
	for _, place := range append([]listing.Place{{Key: first}}, spaced(places, probes)...) {
		known = append(known, byKey[place.Key])
	}
	return known, err
}

// isStillRefused reports whether an object that was copied before is refused now on that side. To ask the destination, it is copied as
// if nothing were known of its copy, on condition that there is none, which is looked at after the permission.
func (p *pass) isStillRefused(ctx context.Context, side string, o listing.Object) (bool, error) {
	if side == sideSource {
		return p.isUnreadable(ctx, o.Key)
	}
	if err := p.claimKey(ctx, o.Key); err != nil {
		return false, err
	}
	_, _, err := p.o.Copier.Copy(ctx, o, copier.Target{}, outOfTurn{p.ledger})
	if awserr.Fatal(err) || ctx.Err() != nil || errors.Is(err, store.ErrLeaseLost) || errors.Is(err, errOutOfTurn) {
		return false, err
	}
	return trial{made: true, err: err}.isRefused(), nil
}

// isUnreadable reports whether reading an object is refused.
func (p *pass) isUnreadable(ctx context.Context, key string) (bool, error) {
	err := p.o.Copier.Readable(ctx, key)
	switch {
	case err == nil:
		return false, nil
	case awserr.Fatal(err), ctx.Err() != nil:
		return false, err
	default:
		return isShared(copier.Reason(err)), nil
	}
}

// The sides that refuse.
const (
	sideSource      = "source"
	sideDestination = "destination"
)

// stillRefused tries again what an earlier pass ended for, before anything is listed. The error is a *RefusedError while it is
// refused. Once a day the pass is walked whatever these few objects say: others may be there that are not refused.
func (p *pass) stillRefused(ctx context.Context) error {
	former, ok := p.ledger.Refusal()
	if !ok || p.o.Now().Sub(former.WalkedAt) >= walkAgain || former.WalkedAt.After(p.o.Now()) {
		return nil
	}
	if err := p.o.Turns.Acquire(ctx); err != nil {
		return err
	}
	held, release := p.o.Turns.Hold(ctx)
	defer release()
	still := &RefusedError{Since: former.Since}
	for _, after := range former.After {
		tried, err := p.tryAfter(held, after, former.Reason)
		switch {
		case err != nil:
			return fmt.Errorf("try again what was refused: %w", err)
		case tried.isAllowed():
			p.ledger.Allowed()
			return nil
		case tried.isRefused():
			still.Elsewhere, still.Err = still.Elsewhere+1, tried.err
		}
	}
	if still.Err == nil {
		p.ledger.Allowed() // none is to be copied any more
		return nil
	}
	return still
}
