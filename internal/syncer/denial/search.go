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
	// samples is in how many places elsewhere objects are tried, and fewSamples when each of them
	// is tried again and again; tryAgain is how many of those that were refused the next pass tries
	// again.
	samples    = 6
	fewSamples = 2
	tryAgain   = 4
	// lookedAt is how many keys are compared to find one to try, choices of how many objects some
	// are tried.
	lookedAt = 900
	choices  = 16
)

// searcher finds objects elsewhere that must be copied, and tries them.
type searcher struct {
	o      *Options
	prober *prober
}

// tryAfter copies some of the first objects after a key that must be copied, until one is not
// refused. A probe that was not made says that there is none. The reason is why others were
// refused: of what takes long to fail one is enough.
func (s *searcher) tryAfter(ctx context.Context, after, reason string) (made probe, err error) {
	chosen, err := s.choose(s.o.After(ctx, max(after, s.o.Ledger.Mark())))
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

// choose returns some of the first objects of a plan that must be copied: the smallest, which costs
// least, and two more, because the smallest may be of a kind of its own, such as markers.
func (s *searcher) choose(actions plan.Actions) (chosen []plan.Action, err error) {
	var found []plan.Action
	looked := 0
	for a, err := range actions {
		if err != nil {
			return nil, err
		}
		if a.Kind == plan.Copy && a.Reason != plan.Unproven {
			found = append(found, a)
		}
		if looked++; looked == lookedAt || len(found) == choices || len(found) > 0 && s.o.IsReplay {
			break // a replay looks each of them up
		}
	}
	if len(found) <= 1 {
		return found, nil
	}
	slices.SortStableFunc(found, func(a, b plan.Action) int { return cmp.Compare(a.Object.Size, b.Object.Size) })
	return []plan.Action{found[0], found[len(found)/2], found[len(found)-1]}[:min(len(found), 3)], nil
}

// firstAfter lists one key.
func (s *searcher) firstAfter(ctx context.Context) listing.Next {
	return func(after string) (key string, ok bool, err error) {
		for object, err := range s.o.Source.List(ctx, listing.Range{After: after}) {
			return object.Key, err == nil, err
		}
		return "", false, nil
	}
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
