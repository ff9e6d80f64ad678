package planner

import (
	"cmp"
	"context"
	"iter"

	"syncd/internal/listing"
	"syncd/internal/listing/ranges"
	"syncd/internal/plan"
)

const (
	// Listers is how many ranges of the source a pass lists at once. The requests are paced like all
	// others, so there is no need to choose the number.
	Listers = 16
	// ListersOfAll is how many ranges all passes of a process list at once.
	ListersOfAll = 2 * Listers
	// mostReaders is how many chunks of the ledger a pass reads at once. A pass that resumes after
	// many saves reads many runs in each range, and so walks fewer ranges at once.
	mostReaders = 64
	// rangeKeys is the default of Options.RangeKeys.
	rangeKeys = 32_000
)

// Part is a range of the source that is being listed. Its end can decrease until the listing has
// ended. *ranges.Part implements it.
type Part interface {
	Range() listing.Range
	Objects(ctx context.Context) iter.Seq2[listing.Object, error]
}

// Order is the order in which the parts of a plan are visited.
type Order int

const (
	// InKeyOrder visits one part after the other.
	InKeyOrder Order = iota
	// InAnyOrder visits several parts at once.
	InAnyOrder
)

// EachPart calls visit for each part of the source that the pass must walk. With InAnyOrder it calls
// visit for several parts at once, in several goroutines, if the pass allows that. If a call returns
// an error, the other parts are still visited; EachPart then returns the first error.
func (p *Planner) EachPart(ctx context.Context, past Past, order Order, visit func(context.Context, Part) error) error {
	if order == InAnyOrder && p.canSplit() {
		return ranges.Run(ctx, p.o.Pages, ranges.Options{
			Ranges: p.rangesOf(past), Listers: max(1, min(Listers, mostReaders/past.Readers())), Limit: p.o.Limit, Floor: len(p.o.Mapping.Settings.Source.Prefix), Guard: p.o.Guard,
		}, func(ctx context.Context, part *ranges.Part) error { return visit(ctx, part) })
	}
	var first error
	for _, r := range past.Open() {
		if err := visit(ctx, whole{p.o.Source, listing.Range(r)}); first == nil {
			first = err
		}
	}
	return first
}

// canSplit reports whether the parts of a pass can be visited in any order. A replay lists nothing,
// and inherited entries are read in the order of their former keys.
func (p *Planner) canSplit() bool {
	return p.o.Pages != nil && p.request.Replay == nil && !p.inherits()
}

// rangesOf returns the ranges to begin with: those that are open, divided at keys that the ledger
// has, so that each has about the same number of keys.
func (p *Planner) rangesOf(past Past) (parts []listing.Range) {
	bounds := past.Bounds(Listers, cmp.Or(p.o.RangeKeys, rangeKeys))
	for _, r := range past.Open() {
		for _, bound := range bounds {
			if bound > r.After && (r.Until == "" || bound < r.Until) {
				parts = append(parts, listing.Range{After: r.After, Until: bound})
				r.After = bound
			}
		}
		parts = append(parts, listing.Range(r))
	}
	return parts
}

// PartActions returns the plan of one part. It can be called for several parts at once.
func (p *Planner) PartActions(ctx context.Context, past Past, part Part) plan.Actions {
	actions := p.withoutDestination(ctx, past, part)
	if p.request.Replay != nil {
		return actions
	}
	actions = p.withDestination(ctx, past, part.Range(), planPart(part), actions)
	if p.request.Verify != nil {
		actions = p.request.Verify.Verify(actions)
	}
	return actions
}

func (p *Planner) withoutDestination(ctx context.Context, past Past, part Part) plan.Actions {
	rules, after := p.rules, part.Range().After
	rules.Part = planPart(part)
	previous, aside := past.Previous(ctx, after), past.PreviousQuarantine(ctx, after)
	if p.request.Replay != nil {
		return plan.Replay(ctx, previous, aside, p.o.Keys.Look, rules)
	}
	return p.withInherited(ctx, past, rules.Part, plan.Diff(part.Objects(ctx), previous, aside, rules))
}

func planPart(part Part) plan.Part {
	return plan.Part{After: part.Range().After, Until: func() string { return part.Range().Until }}
}

// whole is a part whose end does not change.
type whole struct {
	source Lister
	keys   listing.Range
}

func (w whole) Range() listing.Range { return w.keys }

func (w whole) Objects(ctx context.Context) iter.Seq2[listing.Object, error] {
	return w.source.List(ctx, w.keys)
}
