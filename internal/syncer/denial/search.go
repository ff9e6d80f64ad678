package denial

import (
	"cmp"
	"context"
	"slices"

	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

const (
	// samples is the number of other key ranges in which objects are tried. For temporary errors
	// the number is fewSamples, because each request is then retried many times. tryAgain is how
	// many of the refused objects the next pass retries.
	samples    = 6
	fewSamples = 2
	tryAgain   = 4
	// lookedAt is how many actions are searched for objects to try. choices is how many objects the
	// search collects; only a few of them are tried.
	lookedAt = 900
	choices  = 16
)

// searcher finds objects in other key ranges that must be copied, and tries to copy them.
type searcher struct {
	o      *Options
	prober *prober
}

// tryAfter copies some of the first objects after a key in the plan that must be copied and that no
// walk has reserved, until one is not refused. If there are no such objects, made.made is false. The parameter reason is why
// other objects were refused. If it is a temporary reason, each failure takes long, so only one
// object is tried.
func (s *searcher) tryAfter(ctx context.Context, after, reason string) (made probe, err error) {
	after, ok := s.o.Ledger.Unreserved(after)
	if !ok {
		return probe{}, nil
	}
	chosen, err := s.choose(s.o.After(ctx, after))
	if err != nil {
		return probe{}, err
	}
	for _, a := range chosen {
		if made, err = s.prober.try(ctx, a); err != nil || made.isAllowed() || isPassing(reason) {
			return made, err
		}
	}
	return made, nil
}

// choose returns up to three of the first objects of a plan that must be copied: the smallest,
// which costs least, and two other objects, because the smallest can be special, such as a marker
// object. Objects that a walk has reserved were copied or are being copied. An object that a walk
// reserves from now on is not copied before the decision, because the walk then waits. Objects that were
// copied for an earlier decision are chosen only if there are no others.
func (s *searcher) choose(actions plan.Actions) (chosen []plan.Action, err error) {
	var found, copied []plan.Action
	looked := 0
	for a, err := range actions {
		if err != nil {
			return nil, err
		}
		switch {
		case a.Kind != plan.Copy || a.MayBeUnchanged() || s.o.Ledger.Reserved(a.Object.Key):
		case s.prober.hasCopied(a.Object.Key):
			copied = append(copied, a)
		default:
			found = append(found, a)
		}
		if looked++; looked == lookedAt || len(found) == choices || len(found) > 0 && s.o.IsReplay {
			break // one object is enough for a replay, which sends a lookup request for each
		}
	}
	if len(found) == 0 {
		found = copied
	}
	if len(found) <= 1 {
		return found, nil
	}
	slices.SortStableFunc(found, func(a, b plan.Action) int { return cmp.Compare(a.Object.Size, b.Object.Size) })
	return []plan.Action{found[0], found[len(found)/2], found[len(found)-1]}[:min(len(found), 3)], nil
}

// firstAfter returns a func that lists one key.
func (s *searcher) firstAfter(ctx context.Context) listing.Next {
	return func(after string) (key string, ok bool, err error) {
		for object, err := range s.o.Source.List(ctx, listing.Range{After: after}) {
			return object.Key, err == nil, err
		}
		return "", false, nil
	}
}

// samplesFor returns the number of other key ranges in which objects are tried.
func samplesFor(cause error) int {
	if isPassing(copier.Reason(cause)) {
		return fewSamples
	}
	return samples
}

// spaced returns at most n of the elements, evenly spaced, including the first and the last.
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
