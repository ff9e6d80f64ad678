package syncer

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// Tally is a number of objects and their size.
type Tally struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
}

func (t *Tally) add(o listing.Object) {
	t.Objects++
	t.Bytes += o.Size
}

// Preview is what the next pass of a mapping would do. Its JSON form is a contract: docs/cli.md describes it.
//
// It is of the moment at which it is made, and of a pass in which nothing goes wrong. The last fields are absent when they
// have nothing to say.
type Preview struct {
	Mapping string `json:"mapping"`
	// Generation is the ledger's last generation, 0 for none; Pass is the number that the pass would have.
	Generation int64 `json:"generation"`
	Pass       int64 `json:"pass"`
	// Listed is the number of objects that the source lists behind ResumesAfter: all but Kept are sums of it.
	Listed int64 `json:"listed"`
	// Copy is what would be copied, and CopyByReason the same by plan.Reason.
	Copy         Tally            `json:"copy"`
	CopyByReason map[string]Tally `json:"copy_by_reason"`
	// Unchanged is the number of objects that the ledger says were copied in the version listed.
	Unchanged int64 `json:"unchanged"`
	// Skipped counts objects that the filter leaves out, by reason; Held those in quarantine that are not due, by the reason
	// they are there for; Refused those that would go there before any request, likewise, with what is foreign among them.
	Skipped map[string]int64 `json:"skipped"`
	Held    map[string]int64 `json:"held"`
	Refused map[string]int64 `json:"refused"`
	// Adopt is what the destination seems to hold already, and would be looked at before it is copied. The quote is for
	// adopting all of it. Doubtful is what of it would be set aside as foreign if it does not prove to be a copy.
	Adopt    Tally `json:"adopt"`
	Doubtful Tally `json:"doubtful"`
	// Kept is the number of copies whose source is gone and that stay.
	Kept int64 `json:"kept"`
	// Archived is what of Copy lies in an archive, and fails unless its owner has restored it.
	Archived Tally `json:"archived"`
	plan.Quote
	// UnlessAdopted is how many dollars more it costs if nothing of Adopt proves to be a copy.
	UnlessAdopted float64 `json:"unless_adopted"`
	// LedgerWrites is how many records of the ledger the pass would write, roughly; they are not among the requests.
	LedgerWrites int64 `json:"ledger_writes"`
	// Time is how long it would take.
	Time plan.Estimate `json:"time"`
	// Prices says where the list prices hold, and in which month they were read.
	Prices PriceList `json:"prices"`
	// NotCounted says what the price leaves out.
	NotCounted []string `json:"not_counted"`
	// Resumed says that the pass would take up an interrupted one, behind the key ResumesAfter; ResumesAfterBytes is that key
	// where it is not UTF-8.
	Resumed           bool   `json:"resumed,omitempty"`
	ResumesAfter      string `json:"resumes_after,omitempty"`
	ResumesAfterBytes []byte `json:"resumes_after_bytes,omitempty"`
	// Rekey says why the pass would be refused: the key has changed, and that was not allowed.
	Rekey string `json:"rekey,omitempty"`
	// Damage says what of the ledger cannot be read, so that the pass would start from scratch.
	Damage string `json:"damage,omitempty"`
	// Error says why the plan did not reach its end, so that its numbers are of a part.
	Error string `json:"error,omitempty"`

	unlessAdopted plan.Quote
}

// Work returns how many objects the pass would do something about.
func (v *Preview) Work() int64 { return v.Copy.Objects + v.Adopt.Objects + sum(v.Refused) }

// PriceList says which list prices a quote is by.
type PriceList struct {
	Region string `json:"region"`
	Read   string `json:"read"`
}

// Fate is what would become of one object.
type Fate struct {
	plan.Action
	// Refused is why the object would go into quarantine before any request, "" when it would not.
	Refused string
	// Looks says that what the destination holds would be looked at first, and Foreign that it would not be replaced if it does
	// not prove to be the object's copy.
	Looks, Foreign bool
}

// Preview plans the next pass and carries nothing out: it lists the source, and the destination where the pass would, and
// reads the ledger without its lease, so that it can be called while another process holds that. Each is called with every
// object in key order. Memory does not grow with their number.
func (s *Syncer) Preview(ctx context.Context, each func(Fate) error) (Preview, error) {
	v := newPreview(s.o.Mapping)
	err := s.preview(ctx, &v, each)
	if err != nil {
		v.Error = err.Error()
	}
	return v, err
}

func (s *Syncer) preview(ctx context.Context, v *Preview, each func(Fate) error) error {
	past, err := s.readPast(ctx)
	if err != nil {
		return firstCause(ctx, err)
	}
	l := s.look(past)
	if err := l.settle(ctx, v); err != nil {
		return firstCause(ctx, err)
	}
	for a, err := range l.compare(ctx, past) {
		if err != nil {
			return firstCause(ctx, err)
		}
		fate := l.fateOf(a)
		v.add(fate, s.quoter)
		if err := each(fate); err != nil {
			return err
		}
	}
	v.end(s.quoter, l)
	return nil
}

// settle finds the rules that the pass would have, and where it would begin. A change of the key that it would refuse is noted.
func (l *looking) settle(ctx context.Context, v *Preview) error {
	v.Generation, v.Pass, v.Damage = l.past.last.Generation, l.past.Number(), l.past.damage
	var err error
	if l.former, err = l.o.formerlyOf(l.past.last.Settings); err != nil {
		return err
	}
	since := l.o.Settings.after(l.former, l.past.Number())
	if !l.o.Rekey {
		err = l.refuseNewKey(ctx, l.former, since.PlaceSince)
	}
	if refusal, ok := errors.AsType[*RekeyError](err); ok {
		v.Rekey, err = refusal.Error(), nil
	}
	if err != nil {
		return err
	}
	if err := l.past.resume(ctx, record.Settings{Fingerprint: text(identity{Settings: l.o.Settings}), Memo: text(since)}); err != nil {
		return err
	}
	v.resumes(l.past.Mark())
	return l.settleRules(l.past, l.past.last.Pass+1)
}

// fateOf tells what would become of an object before any request is sent for it.
func (l *looking) fateOf(a plan.Action) Fate {
	if a.Kind != plan.Copy {
		return Fate{Action: a}
	}
	if _, err := l.o.Copier.DestinationKey(a.Object.Key); err != nil {
		return Fate{Action: a, Refused: copier.Reason(err)}
	}
	target := targetOf(a)
	var isThere, isSure bool
	if a.Reason == plan.Unproven {
		isThere, isSure = l.o.Copier.Shown(*a.Previous, target, len(a.Claimed.OtherKeys) > 0)
	}
	switch refused := l.o.Terms.Refuses(a.Object); {
	case isThere && isSure:
		a.Kind, a.Reason = plan.Skip, plan.Unchanged
		return Fate{Action: a}
	case refused != "":
		return Fate{Action: a, Refused: refused}
	}
	forecast := l.o.Copier.Forecast(a.Object, target)
	fate := Fate{Action: a, Looks: forecast.Looks || isThere, Foreign: forecast.Foreign}
	if fate.Foreign && !fate.Looks {
		fate.Refused = copier.Reason(copier.ErrForeign)
	}
	return fate
}

func newPreview(mapping string) Preview {
	return Preview{
		Mapping: mapping, CopyByReason: map[string]Tally{}, Prices: PriceList{plan.PricesRegion, plan.PricesRead},
		Skipped: map[string]int64{}, Held: map[string]int64{}, Refused: map[string]int64{},
		Quote: plan.Quote{Requests: map[string]int64{}, KMSRequests: map[string]float64{}}, NotCounted: []string{},
	}
}

// resumes notes the key behind which the pass would go on.
func (v *Preview) resumes(after string) {
	v.Resumed, v.ResumesAfter = after != "", after
	if !utf8.ValidString(after) {
		v.ResumesAfterBytes = []byte(after)
	}
}

// add books what would become of one object.
func (v *Preview) add(f Fate, q plan.Quoter) {
	if !f.Listed() {
		if f.Previous != nil || f.Inherited != nil {
			v.Kept++ // a pass that is no replay leaves nothing else out
		}
		return
	}
	v.Listed++
	switch {
	case f.Reason == plan.Unchanged:
		v.Unchanged++
	case f.Reason == plan.Held:
		v.Held[f.SetAside.Reason]++
	case f.Kind == plan.Skip:
		v.Skipped[string(f.Reason)]++
	case f.Refused != "":
		v.Refused[f.Refused]++
	case f.Looks:
		v.addLook(f, q)
	default:
		v.addCopy(f.Action, q)
	}
}

func (v *Preview) addLook(f Fate, q plan.Quoter) {
	v.Adopt.add(f.Object)
	q.AddLook(&v.Quote, f.Object)
	if f.Foreign {
		v.Doubtful.add(f.Object)
		return
	}
	q.AddCopy(&v.unlessAdopted, f.Object)
}

func (v *Preview) addCopy(a plan.Action, q plan.Quoter) {
	v.Copy.add(a.Object)
	by := v.CopyByReason[string(a.Reason)]
	by.add(a.Object)
	v.CopyByReason[string(a.Reason)] = by
	if plan.Archived(a.Object) {
		v.Archived.add(a.Object)
	}
	q.AddCopy(&v.Quote, a.Object)
}

// end adds what does not go by objects.
func (v *Preview) end(q plan.Quoter, l *looking) {
	q.AddPages(&v.Quote, l.source.pages(), l.destination.pages())
	q.AddEnd(&v.Quote)
	v.Dollars, v.UnlessAdopted = v.Dollars.Rounded(), v.unlessAdopted.Dollars.Rounded().Total
	v.Time, v.NotCounted = q.Time(v.Quote), q.NotCounted()
	v.LedgerWrites = l.ledgerWrites(v.Work(), v.Time.Seconds)
	v.NotCounted = append(v.NotCounted, "the ledger's own requests, where its state is on S3")
	if n := len(l.past.progress.Uploads); n > 0 {
		v.NotCounted = append(v.NotCounted, fmt.Sprintf("what is saved by %d unfinished uploads, whose parts are not copied again", n))
	}
}
