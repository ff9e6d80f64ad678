package preview

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/copier/deleting"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer/deletion"
	"syncd/internal/syncer/planner"
)

// Copier forecasts what would happen to an object. It sends no requests.
type Copier interface {
	Forecast(object listing.Object, target copier.Target) copier.Forecast
	Shown(e record.Entry, target copier.Target, otherKey bool) (isThere, isSure bool)
	DestinationKey(key string) (string, error)
}

// Options are the settings of a preview.
type Options struct {
	// Plans are the planner options that passes use.
	Plans planner.Options
	// Copier is the Copier that passes use.
	Copier Copier
	// Terms determine the prices of copies.
	Terms plan.Terms
	// Ledger are the options with which passes open the ledger. ActionsPerClaim is how many actions
	// a claim covers.
	Ledger          checkpoint.Options
	ActionsPerClaim int64
	// Deletes are the limits on deletes.
	Deletes deletion.Limits
	// Now is the clock.
	Now func() time.Time
}

// maker creates one preview.
type maker struct {
	o                   Options
	quoter              plan.Quoter
	planner             *planner.Planner
	past                *past
	source, destination *pageCounter
	relists             int64 // requests that list the keys of deletes again
}

// Make plans the next pass without carrying it out. It calls the func each for every object, one at
// a time. An error that each returns ends the preview. If Make returns an error, the Pass has the
// counts up to that point.
func Make(ctx context.Context, o Options, order planner.Order, each func(Fate) error) (Pass, error) {
	v := newPass(o.Plans.Mapping.Name)
	past, err := readPast(ctx, o.Plans.Mapping, o.Plans.Logger)
	if err != nil {
		return v, err
	}
	m := newMaker(o, past, planner.Request{})
	if err := m.begin(ctx, &v); err != nil {
		return v, err
	}
	visit := func(a plan.Action) error {
		if a.Forgets() {
			return nil // no object, and no copy that is kept
		}
		fate := m.fateOf(a)
		v.add(fate, m.quoter)
		return each(fate)
	}
	if err := m.walk(ctx, order, visit); err != nil {
		return v, err
	}
	if err := m.addSettled(ctx, &v); err != nil {
		return v, err
	}
	m.end(&v)
	return v, nil
}

// addSettled adds the deletes that an interrupted pass has left to do.
func (m *maker) addSettled(ctx context.Context, v *Pass) error {
	after := m.o.Plans.DeleteAfter
	if after == 0 {
		return nil
	}
	for _, err := range m.past.LeftToDelete(ctx, after) {
		if err != nil {
			return err
		}
		if v.Delete++; v.Delete%deleting.Group == 1 {
			m.relists++ // at least one for each group; the listed keys in between are not known here
		}
	}
	return nil
}

// relister finds out which deletes of a part list the source again: a page answers for a group of keys, up
// to its end.
type relister struct {
	deletes int
	listed  int // listed keys since the page began
}

func (r *relister) relists(a plan.Action) bool {
	if a.WasListed {
		r.listed++
	}
	if a.Kind != plan.Delete {
		return false
	}
	isFirst := r.deletes%deleting.Most%deleting.Group == 0
	r.deletes++
	if isFirst || r.listed >= listing.PageKeys {
		r.listed = 0
		return true
	}
	return false
}

// walk plans the pass, and calls visit for one action at a time. The first error ends the preview.
func (m *maker) walk(ctx context.Context, order planner.Order, visit func(plan.Action) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var visiting sync.Mutex
	err := m.planner.EachPart(ctx, m.past, order, func(ctx context.Context, part planner.Part) error {
		err := m.walkPart(ctx, counted{part, m.source}, func(a plan.Action, relists bool) error {
			visiting.Lock()
			defer visiting.Unlock()
			if err := ctx.Err(); err != nil {
				return err
			}
			if relists {
				m.relists++
			}
			return visit(a)
		})
		if err != nil {
			stop(err)
		}
		return err
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func (m *maker) walkPart(ctx context.Context, part planner.Part, visit func(a plan.Action, relists bool) error) error {
	var again relister
	for a, err := range m.planner.PartActions(ctx, m.past, part) {
		if err == nil {
			err = visit(a, again.relists(a))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// counted is a part whose objects are counted.
type counted struct {
	planner.Part
	counter *pageCounter
}

// Objects yields the objects of the part.
func (c counted) Objects(ctx context.Context) iter.Seq2[listing.Object, error] {
	return c.counter.count(c.Part.Objects(ctx))
}

func newMaker(o Options, past *past, request planner.Request) *maker {
	m := &maker{o: o, quoter: plan.NewQuoter(o.Terms), past: past, source: &pageCounter{}, destination: &pageCounter{Lister: o.Plans.Destination}}
	plans := o.Plans
	if plans.Destination != nil {
		plans.Destination = m.destination
	}
	request.IsFirst = past.last.Entries == 0
	m.planner = planner.New(plans, request)
	return m
}

// begin computes the rules and the starting point of the pass. If the pass would refuse a new KMS
// key, begin records that in v.
func (m *maker) begin(ctx context.Context, v *Pass) error {
	v.Generation, v.Pass, v.Damage = m.past.last.Generation, m.past.Number(), m.past.damage
	now, err := m.planner.Follow(m.past.last.Settings, m.past.Number())
	if err != nil {
		return err
	}
	err = m.planner.Check(ctx)
	if refusal, ok := errors.AsType[*planner.RekeyError](err); ok {
		v.Rekey, err = refusal.Error(), nil
	}
	if err != nil {
		return err
	}
	if err := m.past.resume(ctx, now); err != nil {
		return err
	}
	v.resumes(m.past.progress.Settled)
	return m.planner.Begin(m.past, m.past.last.Pass+1, m.o.Now(), m.o.Plans.Logger)
}

// fateOf returns what would happen to an object, as far as it is known before any request.
func (m *maker) fateOf(a plan.Action) Fate {
	if a.Kind != plan.Copy {
		return Fate{Action: a}
	}
	if _, err := m.o.Copier.DestinationKey(a.Object.Key); err != nil {
		return Fate{Action: a, Refused: copier.Reason(err)}
	}
	target := planner.TargetOf(a)
	var isThere, isSure bool
	if a.Reason == plan.Unproven {
		isThere, isSure = m.o.Copier.Shown(*a.Previous, target, len(a.Claimed.OtherKeys) > 0)
	}
	switch refused := m.o.Terms.Refuses(a.Object); {
	case isThere && isSure:
		a.Kind, a.Reason = plan.Skip, plan.Unchanged
		return Fate{Action: a}
	case refused != "":
		return Fate{Action: a, Refused: refused}
	}
	forecast := m.o.Copier.Forecast(a.Object, target)
	fate := Fate{Action: a, Looks: forecast.Looks || isThere, Foreign: forecast.Foreign}
	if fate.Foreign && !fate.Looks {
		fate.Refused = copier.Reason(copier.ErrForeign)
	}
	return fate
}

// end adds to v the numbers that do not depend on single objects.
func (m *maker) end(v *Pass) {
	settled := m.past.progress.Counts
	if why := m.o.Deletes.Exceeded(v.Delete, settled.Deleted, m.past.last.Entries, v.Listed+settled.Listed() == 0); why != "" {
		v.Withheld, v.WithheldWhy, v.Delete, m.relists = v.Delete, why, 0, 0
	}
	m.quoter.AddDeletes(&v.Quote, v.Delete, m.relists)
	m.quoter.AddPages(&v.Quote, m.source.pages(), m.destination.pages())
	m.quoter.AddEnd(&v.Quote)
	v.Dollars, v.UnlessAdopted = v.Dollars.Rounded(), v.unlessAdopted.Dollars.Rounded().Total
	v.Time, v.NotCounted = m.quoter.Time(v.Quote), m.quoter.NotCounted()
	v.LedgerWrites = m.o.ledgerWrites(v.Work(), v.Time.Seconds)
	v.NotCounted = append(v.NotCounted, "requests for the ledger, if it is stored on S3")
	if n := len(m.past.progress.Uploads); n > 0 {
		v.NotCounted = append(v.NotCounted, fmt.Sprintf("savings from %d unfinished uploads, whose parts are not copied again", n))
	}
}
