package denial

import (
	"context"
	"errors"
	"strings"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/listing"
)

// examiner determines what is refused. It checks whether the refused object can be read, and
// whether objects that were copied before are refused now.
type examiner struct{ o *Options }

// isStretch reports whether only some of the keys are refused. That is so if an object that was
// copied before can still be read, or can still be written if the destination refuses.
func (e *examiner) isStretch(ctx context.Context, side string, cause error, witness listing.Object) (bool, error) {
	switch {
	case e.o.IsReplay:
		return witness.Key != "", nil // a replay cannot be resumed, so its copies must not be lost
	case side == sideDestination && isOfKey(cause):
		return false, nil // all copies use the same KMS key, and S3 checks the key last
	}
	known, err := e.witnesses(ctx, witness)
	if err != nil {
		return false, err
	}
	for _, o := range known {
		isRefused, err := e.isStillRefused(ctx, side, o)
		if errors.Is(err, errOutOfTurn) {
			continue // the object needs a multipart copy, which was not started
		}
		if err != nil || !isRefused {
			return true, err
		}
	}
	return false, nil
}

// witnesses returns objects that were copied before: one that this pass copied, and several from
// different key ranges that the ledger has entries for.
func (e *examiner) witnesses(ctx context.Context, own listing.Object) (known []listing.Object, err error) {
	if own.Key != "" {
		known = append(known, own)
	}
	byKey := map[string]listing.Object{}
	next := func(after string) (key string, ok bool, err error) {
		for entry, err := range e.o.Ledger.Previous(ctx, after) {
			byKey[entry.Key] = listing.Object{Key: entry.Key, Version: entry.Source}
			return entry.Key, err == nil, err
		}
		return "", false, nil
	}
	first, ok, err := next("")
	if !ok || err != nil {
		return known, err
	}
	starts, err := listing.Beyond(first, 0, next)
	for _, start := range append([]listing.Start{{Key: first}}, spaced(starts, tryAgain)...) {
		known = append(known, byKey[start.Key])
	}
	return known, err
}

// isStillRefused reports whether an object that was copied before is now refused on the given side.
// For the destination it sends a copy request on the condition that the key does not exist: S3
// checks the permission before the condition.
func (e *examiner) isStillRefused(ctx context.Context, side string, o listing.Object) (bool, error) {
	if side == sideSource {
		return e.isUnreadable(ctx, o.Key)
	}
	if err := e.o.Claim(ctx, o.Key); err != nil {
		return false, err
	}
	_, _, err := e.o.Copier.Copy(ctx, o, copier.Target{}, outOfTurn{e.o.Ledger})
	if awserr.Fatal(err) || ctx.Err() != nil || errors.Is(err, store.ErrLeaseLost) || errors.Is(err, errOutOfTurn) {
		return false, err
	}
	return probe{made: true, err: err}.isRefused(), nil
}

// sideThatRefuses returns the side that refuses an object. It is the source if the object cannot
// even be read.
func (e *examiner) sideThatRefuses(ctx context.Context, key string) (string, error) {
	isRefused, err := e.isUnreadable(ctx, key)
	switch {
	case err != nil:
		return "", err
	case isRefused:
		return sideSource, nil
	default:
		return sideDestination, nil
	}
}

// isUnreadable reports whether reading an object is refused.
func (e *examiner) isUnreadable(ctx context.Context, key string) (bool, error) {
	err := e.o.Copier.Readable(ctx, key)
	switch {
	case err == nil:
		return false, nil
	case awserr.Fatal(err), ctx.Err() != nil:
		return false, err
	default:
		return IsShared(copier.Reason(err)), nil
	}
}

// isOfKey reports whether the error cause means that a KMS key refused the request.
func isOfKey(cause error) bool {
	action, _ := awserr.Refused(cause)
	reason := awserr.Class(copier.Reason(cause))
	return reason == awserr.KeyDisabled || reason == awserr.NoKey || strings.HasPrefix(action, "kms:")
}
