// Package verify compares the destination of a mapping with the ledger and the source.
//
// A verification is a plan that must be empty. It walks the plan of the next pass, looks up every key in
// a listing of the destination, and reports each difference. It lists each side once, and sends a HEAD
// only for the copies that are inspected: all, a sample or none. Memory use does not grow with the
// number of objects.
//
// [Make] only reports. A pass that is given [Findings] also mends the differences: it uses the same plan,
// and copies what differs. Package plan defines the kinds of differences, and the copier inspects a copy.
//
// Two terms: to inspect a copy is to compare its properties with those of its source, with requests of
// its own; a key is unsettled if a pass may be writing it, so that it cannot be judged.
package verify

import (
	"context"
	"errors"
	"hash/fnv"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/preview"
)

// Inspector compares single copies with their sources.
type Inspector interface {
	Inspect(ctx context.Context, object listing.Object, e record.Entry) (found []plan.Difference, hasMoved bool, err error)
	// There converts a time of this process to the destination's clock.
	There(t time.Time) time.Time
}

// Request describes a verification.
type Request struct {
	// Share is the share of the copies that are inspected, from 0 to 1. Seed determines which: the same
	// seed selects the same keys.
	Share float64
	Seed  uint64
	// Found is called for each difference, one at a time. An error that it returns ends a verification,
	// but not a pass.
	Found func(plan.Difference) error
	// Walked is called for each key, one at a time; nil means that it is not.
	Walked func()
}

// ParseShare parses a share in percent, such as 1%. The result ok is false if it is not above 0 % and at
// most 100 %.
func ParseShare(text string) (share float64, ok bool) {
	number, isPercent := strings.CutSuffix(text, "%")
	percent, err := strconv.ParseFloat(number, 64)
	return percent / 100, err == nil && isPercent && percent > 0 && percent <= 100
}

// Report is the result of a verification. Its JSON form is a stable interface, described in docs/cli.md.
type Report struct {
	Mapping string `json:"mapping"`
	// Generation is the ledger's generation that the destination was compared with.
	Generation int64 `json:"generation"`
	// Listed is the number of objects at the source. Intact is how many of them have a copy that a
	// listing shows to be the recorded one. Inspected is how many copies were inspected.
	Listed    int64 `json:"listed"`
	Intact    int64 `json:"intact"`
	Inspected int64 `json:"inspected"`
	// Skipped is the number of source objects that the filter leaves out, and Kept the number of copies
	// whose source object no longer exists.
	Skipped int64 `json:"skipped"`
	Kept    int64 `json:"kept"`
	// Unsettled is the number of keys that could not be judged, because a pass may be writing them.
	Unsettled int64 `json:"unsettled"`
	// Differences counts the differences by kind. Mendable is how many of them a repair tries to mend.
	Differences map[plan.DifferenceKind]int64 `json:"differences"`
	Mendable    int64                         `json:"mendable"`
	// Pending counts, by kind, the differences that the next pass mends anyway, because the source or the
	// settings have changed since the last one.
	Pending map[plan.DifferenceKind]int64 `json:"pending"`
	// Requests counts HTTP requests by operation, including retries, and Seconds is the duration.
	Requests map[string]int64 `json:"requests"`
	Seconds  float64          `json:"seconds"`
	// Error is why the verification is incomplete; empty if it is complete.
	Error string `json:"error,omitempty"`
}

// Total returns the number of differences.
func (r Report) Total() int64 { return sum(r.Differences) }

// TotalPending returns the number of differences that the next pass mends anyway.
func (r Report) TotalPending() int64 { return sum(r.Pending) }

func sum(by map[plan.DifferenceKind]int64) (all int64) {
	for _, n := range by {
		all += n
	}
	return all
}

// Findings collects the differences of one verification. It is safe for concurrent use.
type Findings struct {
	request  Request
	inspects func(key string) bool // nil if no copy is inspected
	there    func(time.Time) time.Time

	mu     sync.Mutex
	began  time.Time
	report Report
	err    error // the first error of Request.Found
}

// NewFindings returns the Findings of a verification that begins now.
func NewFindings(r Request, mapping string, by Inspector) *Findings {
	f := &Findings{request: r, inspects: r.inspects(), there: by.There, report: Report{Mapping: mapping}}
	f.Reset()
	return f
}

// Reset begins the verification again.
func (f *Findings) Reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.began = time.Now()
	f.report = Report{
		Mapping: f.report.Mapping, Differences: map[plan.DifferenceKind]int64{}, Pending: map[plan.DifferenceKind]int64{}, Requests: map[string]int64{},
	}
}

// start returns when the verification began, by the destination's clock.
func (f *Findings) start() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.there(f.began)
}

// Verification returns the plan's part of the verification.
func (f *Findings) Verification() *plan.Verification {
	return &plan.Verification{
		Began: f.start, Inspects: f.inspects, Found: f.add,
		Unsettled: func(string) { f.count(func(r *Report) { r.Unsettled++ }) },
	}
}

// Report returns the counts so far.
func (f *Findings) Report() Report {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.report
	r.Differences, r.Pending = maps.Clone(r.Differences), maps.Clone(r.Pending)
	return r
}

func (f *Findings) count(change func(*Report)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(&f.report)
}

func (f *Findings) add(d plan.Difference) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.report.Differences[d.Kind]++
	if d.IsMended {
		f.report.Mendable++
	}
	if d.IsPending {
		f.report.Pending[d.Kind]++
	}
	if err := f.request.Found(d); f.err == nil {
		f.err = err
	}
}

// Failure returns the first error of Request.Found.
func (f *Findings) Failure() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Inspects reports whether the copy of a source key must be inspected.
func (f *Findings) Inspects(key string) bool { return f.inspects != nil && f.inspects(key) }

// Inspect inspects the copy of an object, and reports what differs. The result isDamaged is true if the
// object must be copied again, and hasMoved if the copy was replaced or deleted since it was listed.
func (f *Findings) Inspect(ctx context.Context, by Inspector, object listing.Object, copied record.Entry) (isDamaged, hasMoved bool, err error) {
	found, hasMoved, err := by.Inspect(ctx, object, copied)
	if err != nil || hasMoved {
		return false, hasMoved, err
	}
	f.count(func(r *Report) { r.Inspected++ })
	for _, d := range found {
		d.IsMended = d.Kind != plan.DiffersUnchecked
		f.add(d)
		isDamaged = isDamaged || d.IsMended
	}
	return isDamaged, false, nil
}

// Add counts a planned action.
func (f *Findings) Add(a plan.Action) {
	f.count(func(r *Report) {
		if f.request.Walked != nil {
			f.request.Walked()
		}
		if !a.Listed() {
			if a.Previous != nil || a.Inherited != nil {
				r.Kept++
			}
			return
		}
		r.Listed++
		switch {
		case a.IsThere() && (a.Reason == plan.Unchanged || a.MayBeUnchanged()):
			r.Intact++
		case a.Kind == plan.Skip && a.Reason != plan.Held:
			r.Skipped++
		}
	})
}

// inspects returns a func that selects the copies to inspect; nil if none is.
func (r Request) inspects() func(key string) bool {
	const whole = 1 << 53
	least := uint64(r.Share * whole)
	if least == 0 {
		return nil
	}
	return func(key string) bool {
		h := fnv.New64a()
		_, _ = h.Write([]byte(key)) // a hash never fails
		return mixed(h.Sum64()^r.Seed)%whole < least
	}
}

// mixed spreads similar values (SplitMix64, https://prng.di.unimi.it/splitmix64.c).
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// inspectedAtOnce is how many copies are inspected at the same time. The requests are paced like all
// others.
const inspectedAtOnce = 64

// Make verifies the destination and writes nothing. It needs no lease. If it returns an error, the
// report has the counts up to that point.
func Make(ctx context.Context, o preview.Options, r Request, by Inspector) (Report, error) {
	f := NewFindings(r, o.Plans.Mapping.Name, by)
	working, inCtx := errgroup.WithContext(ctx)
	working.SetLimit(inspectedAtOnce)
	generation, err := preview.Walk(inCtx, o, planner.Request{Verify: f.Verification(), RetryAll: true}, func(a plan.Action) error {
		f.Add(a)
		if a.Inspect {
			working.Go(func() error {
				_, hasMoved, err := f.Inspect(inCtx, by, a.Object, a.Copied())
				if hasMoved { // a pass may have written it
					f.count(func(r *Report) { r.Unsettled++ })
				}
				return err
			})
		}
		return f.Failure()
	})
	failed := working.Wait()
	if failed != nil && (errors.Is(err, context.Canceled) || errors.Is(err, failed)) {
		err = nil // the walk ended because an inspection failed
	}
	report := f.Report()
	report.Generation = generation
	return report, errors.Join(err, failed, f.unreported(err))
}

// unreported returns the error of Request.Found unless err is that error.
func (f *Findings) unreported(err error) error {
	if failure := f.Failure(); !errors.Is(err, failure) {
		return failure
	}
	return nil
}
