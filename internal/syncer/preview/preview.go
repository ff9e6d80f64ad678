// Package preview computes what the next pass of a mapping would do and what it would cost, without
// carrying it out.
//
// It lists the source and, if the pass would, the destination. It reads the ledger without the
// lease, so it works while another process holds the lease. It uses the planner of a pass and the
// forecast of the copier, so a pass without errors does what its preview says. Memory use does not
// grow with the number of objects.
//
// Prices and request counts come from plan.Quoter. The caller prints the results.
//
// Two terms: the fate of an object is what the pass would do with it. To look is to check the
// destination for an existing copy; the pass adopts a copy that it finds, and otherwise copies the
// object.
package preview

import (
	"unicode/utf8"

	"syncd/internal/checkpoint/record"
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

// Pass is what the next pass of a mapping would do. Its JSON form is a stable interface, described
// in docs/cli.md.
//
// It is a point-in-time estimate for a pass without errors. In the JSON form, fields with omitempty
// are left out if empty.
type Pass struct {
	Mapping string `json:"mapping"`
	// Generation is the ledger's last generation, or 0 if there is none. Pass is the number that
	// the pass would have.
	Generation int64 `json:"generation"`
	Pass       int64 `json:"pass"`
	// Listed is the number of objects that the pass would list: those that are not settled yet. All
	// other counts except Kept count some of these objects.
	Listed int64 `json:"listed"`
	// Copy counts the objects that would be copied. CopyByReason is the same, grouped by
	// plan.Reason.
	Copy         Tally            `json:"copy"`
	CopyByReason map[string]Tally `json:"copy_by_reason"`
	// Unchanged is the number of objects whose listed version was copied before, according to the
	// ledger.
	Unchanged int64 `json:"unchanged"`
	// Skipped counts the objects that the filter leaves out, by reason. Held counts the objects in
	// quarantine that are not due, by reason. Refused counts the objects that would be quarantined
	// before any request, by reason, including foreign objects.
	Skipped map[string]int64 `json:"skipped"`
	Held    map[string]int64 `json:"held"`
	Refused map[string]int64 `json:"refused"`
	// Adopt counts the objects that seem to have a copy at the destination already. Each would be
	// checked and then adopted or copied. The quote assumes that all of them are adopted. Doubtful
	// is the part of Adopt that would be quarantined as foreign if the check finds no copy.
	Adopt    Tally `json:"adopt"`
	Doubtful Tally `json:"doubtful"`
	// Kept is the number of copies that are kept although their source object is gone.
	Kept int64 `json:"kept"`
	// Delete is the number of copies that would be deleted because their source objects are gone. If a
	// limit forbids the deletes, Delete is 0, Withheld is the number of copies that are due, and
	// WithheldWhy the limit.
	Delete      int64  `json:"delete"`
	Withheld    int64  `json:"withheld,omitempty"`
	WithheldWhy string `json:"withheld_why,omitempty"`
	// Archived is the part of Copy that is in an archive storage class. Its copies fail unless the
	// objects are restored first.
	Archived Tally `json:"archived"`
	plan.Quote
	// UnlessAdopted is the additional cost in US dollars if none of the objects in Adopt has a
	// copy.
	UnlessAdopted float64 `json:"unless_adopted"`
	// LedgerWrites is the approximate number of ledger records that the pass would write. They are
	// not included in the requests.
	LedgerWrites int64 `json:"ledger_writes"`
	// Time is how long the pass would take.
	Time plan.Estimate `json:"time"`
	// Prices is the region of the list prices, and the month in which they were read.
	Prices PriceList `json:"prices"`
	// NotCounted lists what the price does not include.
	NotCounted []string `json:"not_counted"`
	// Resumed reports whether the pass would resume an interrupted one. The keys up to and including
	// ResumesAfter, and possibly others, are settled. ResumesAfterBytes is that key if it is not
	// valid UTF-8.
	Resumed           bool   `json:"resumed,omitempty"`
	ResumesAfter      string `json:"resumes_after,omitempty"`
	ResumesAfterBytes []byte `json:"resumes_after_bytes,omitempty"`
	// Rekey is why the pass would be refused if the KMS key has changed and the change was not
	// allowed.
	Rekey string `json:"rekey,omitempty"`
	// Damage says which part of the ledger cannot be read. The pass would then start with an empty
	// ledger.
	Damage string `json:"damage,omitempty"`
	// Error is why the plan is incomplete. The numbers then cover only a part of the pass.
	Error string `json:"error,omitempty"`

	unlessAdopted plan.Quote
}

// Work returns how many objects the pass would copy, adopt, delete or quarantine.
func (v *Pass) Work() int64 { return v.Copy.Objects + v.Adopt.Objects + v.Delete + v.refusals() }

func (v *Pass) refusals() (objects int64) {
	for _, n := range v.Refused {
		objects += n
	}
	return objects
}

// PriceList identifies the list prices of a quote.
type PriceList struct {
	Region string `json:"region"`
	Read   string `json:"read"`
}

// Fate is what would happen to one object.
type Fate struct {
	plan.Action
	// Refused is why the object would be quarantined before any request, or "" if it would not.
	Refused string
	// Looks is true if the pass would first check the destination for a copy. Foreign is true if
	// the pass would not replace the object at the destination, even if the check finds that the
	// object is not a copy.
	Looks, Foreign bool
}

func newPass(mapping string) Pass {
	return Pass{
		Mapping: mapping, CopyByReason: map[string]Tally{}, Prices: PriceList{plan.PricesRegion, plan.PricesRead},
		Skipped: map[string]int64{}, Held: map[string]int64{}, Refused: map[string]int64{},
		Quote: plan.Quote{Requests: map[string]int64{}, KMSRequests: map[string]float64{}}, NotCounted: []string{},
	}
}

// resumes records which keys the pass would not walk again.
func (v *Pass) resumes(settled record.Ranges) {
	v.Resumed = len(settled) > 0
	if !v.Resumed || settled[0].After != "" {
		return
	}
	v.ResumesAfter = settled[0].Until
	if !utf8.ValidString(v.ResumesAfter) {
		v.ResumesAfterBytes = []byte(v.ResumesAfter)
	}
}

// add counts the fate of one object.
func (v *Pass) add(f Fate, q plan.Quoter) {
	if f.Kind == plan.Delete {
		v.Delete++
		return
	}
	if !f.Listed() {
		if f.Previous != nil || f.Inherited != nil {
			v.Kept++ // not listed: gone from the source, because a preview plans no replay
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

func (v *Pass) addLook(f Fate, q plan.Quoter) {
	v.Adopt.add(f.Object)
	q.AddLook(&v.Quote, f.Object)
	if f.Foreign {
		v.Doubtful.add(f.Object)
		return
	}
	q.AddCopy(&v.unlessAdopted, f.Object)
}

func (v *Pass) addCopy(a plan.Action, q plan.Quoter) {
	v.Copy.add(a.Object)
	by := v.CopyByReason[string(a.Reason)]
	by.add(a.Object)
	v.CopyByReason[string(a.Reason)] = by
	if plan.Archived(a.Object) {
		v.Archived.add(a.Object)
	}
	q.AddCopy(&v.Quote, a.Object)
}
