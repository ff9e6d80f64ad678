// Package preview computes what the next pass of a mapping would do, and what that would cost,
// without carrying anything out.
//
// It lists the source, and the destination where the pass would, and reads the ledger without its
// lease, so that it can be asked for while another process holds that. It uses the planner of a
// pass and the copier's own forecast, so that a pass in which nothing goes wrong does what its
// preview says. Memory does not grow with the number of objects.
//
// It leaves prices and requests to plan's quoter, and what is printed to its caller.
//
// Two words: the fate of an object is what the pass would do with it; to look is to read at the
// destination whether a copy is there already, which decides between adopting it and copying.
package preview

import (
	"unicode/utf8"

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

// Pass is what the next pass of a mapping would do. Its JSON form is a contract: docs/cli.md
// describes it.
//
// It is a point-in-time estimate, of a pass in which nothing goes wrong. The last fields are absent
// when they have nothing to say.
type Pass struct {
	Mapping string `json:"mapping"`
	// Generation is the ledger's last generation, 0 for none; Pass is the number that the pass
	// would have.
	Generation int64 `json:"generation"`
	Pass       int64 `json:"pass"`
	// Listed is the number of objects that the source lists after ResumesAfter: all but Kept are
	// sums of it.
	Listed int64 `json:"listed"`
	// Copy is what would be copied, and CopyByReason the same by plan.Reason.
	Copy         Tally            `json:"copy"`
	CopyByReason map[string]Tally `json:"copy_by_reason"`
	// Unchanged is the number of objects that the ledger says were copied in the version listed.
	Unchanged int64 `json:"unchanged"`
	// Skipped counts objects that the filter leaves out, by reason; Held those in quarantine that
	// are not due, by the reason they are there for; Refused those that would go there before any
	// request, likewise, with what is foreign among them.
	Skipped map[string]int64 `json:"skipped"`
	Held    map[string]int64 `json:"held"`
	Refused map[string]int64 `json:"refused"`
	// Adopt is what the destination seems to hold already, and would be looked at before it is
	// copied. The quote is for adopting all of it. Doubtful is what of it would be set aside as
	// foreign if it does not prove to be a copy.
	Adopt    Tally `json:"adopt"`
	Doubtful Tally `json:"doubtful"`
	// Kept is the number of copies whose source is gone and that stay.
	Kept int64 `json:"kept"`
	// Archived is what of Copy is in an archive class, and fails unless its owner has restored it.
	Archived Tally `json:"archived"`
	plan.Quote
	// UnlessAdopted is how many dollars more it costs if nothing of Adopt proves to be a copy.
	UnlessAdopted float64 `json:"unless_adopted"`
	// LedgerWrites is how many records of the ledger the pass would write, roughly; they are not
	// among the requests.
	LedgerWrites int64 `json:"ledger_writes"`
	// Time is how long it would take.
	Time plan.Estimate `json:"time"`
	// Prices says where the list prices hold, and in which month they were read.
	Prices PriceList `json:"prices"`
	// NotCounted says what the price leaves out.
	NotCounted []string `json:"not_counted"`
	// Resumed says that the pass would resume an interrupted one, after the key ResumesAfter;
	// ResumesAfterBytes is that key where it is not UTF-8.
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
func (v *Pass) Work() int64 { return v.Copy.Objects + v.Adopt.Objects + v.refusals() }

func (v *Pass) refusals() (objects int64) {
	for _, n := range v.Refused {
		objects += n
	}
	return objects
}

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
	// Looks says that what the destination holds would be looked at first, and Foreign that it
	// would not be replaced if it does not prove to be the object's copy.
	Looks, Foreign bool
}

func newPass(mapping string) Pass {
	return Pass{
		Mapping: mapping, CopyByReason: map[string]Tally{}, Prices: PriceList{plan.PricesRegion, plan.PricesRead},
		Skipped: map[string]int64{}, Held: map[string]int64{}, Refused: map[string]int64{},
		Quote: plan.Quote{Requests: map[string]int64{}, KMSRequests: map[string]float64{}}, NotCounted: []string{},
	}
}

// resumes notes the key after which the pass would resume.
func (v *Pass) resumes(after string) {
	v.Resumed, v.ResumesAfter = after != "", after
	if !utf8.ValidString(after) {
		v.ResumesAfterBytes = []byte(after)
	}
}

// add counts what would become of one object.
func (v *Pass) add(f Fate, q plan.Quoter) {
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
