package report

import (
	"cmp"
	"io"
	"slices"

	"github.com/dustin/go-humanize"

	"syncd/internal/awserr"
	"syncd/internal/printable"
	"syncd/internal/status"
	"syncd/internal/syncer/preview"
	"syncd/internal/terminal"
)

const (
	stateWork  = "work"
	stateFirst = "first"
)

func planOrder() []string {
	return []string{status.Failed, status.Damaged, status.Denied, status.Refused, status.Quarantined, stateFirst, stateWork, status.OK}
}

// Planned is the plan of a mapping. If planning failed, Err is the error, and the plan covers only
// the part before the error.
type Planned struct {
	preview.Pass
	Err error
}

// state summarizes the plan as a state and its reason.
func (v Planned) state() (state, why string) {
	switch {
	case awserr.Classify(v.Err) == awserr.Denied:
		return status.Denied, awserr.Brief(v.Err)
	case v.Err != nil:
		return status.Failed, awserr.Brief(v.Err)
	case v.Damage != "":
		return status.Damaged, v.Damage
	case v.Rekey != "":
		return status.Refused, v.Rekey + "; --rekey allows it"
	case v.setAside() > 0:
		return status.Quarantined, terminal.ByReason(sums(v.Held, v.Refused))
	case v.Generation == 0:
		return stateFirst, "its first pass" + reasons(v.CopyByReason)
	case v.Work() > 0:
		return stateWork, terminal.ByReason(objectsOf(v.CopyByReason))
	}
	return status.OK, ""
}

// setAside returns how many objects would be in quarantine before the first copy.
func (v Planned) setAside() (n int64) {
	for _, objects := range sums(v.Held, v.Refused) {
		n += objects
	}
	return n
}

func sums(all ...map[string]int64) map[string]int64 {
	sum := map[string]int64{}
	for _, counts := range all {
		for name, n := range counts {
			sum[name] += n
		}
	}
	return sum
}

func objectsOf(tallies map[string]preview.Tally) map[string]int64 {
	counts := map[string]int64{}
	for reason, t := range tallies {
		counts[reason] = t.Objects
	}
	return counts
}

// PlanTable prints one line per mapping and a total. The worst states come first. Mappings in the
// same state are sorted by bytes to copy, the most first.
func PlanTable(w io.Writer, all []Planned, width int) {
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b Planned) int { return cmp.Compare(b.Copy.Bytes, a.Copy.Bytes) })
	terminal.WorstFirst(all, planOrder(), func(v Planned) string {
		state, _ := v.state()
		return state
	})
	t := terminal.Table{Columns: []terminal.Column{
		{Title: "MAPPING"},
		{Title: "STATE"},
		{Title: "COPY", Right: true},
		{Title: "BYTES", Right: true},
		{Title: "ADOPT", Right: true, Spared: 5},
		{Title: "QUARANTINED", Right: true, Spared: 2},
		{Title: "DOLLARS", Right: true},
		{Title: "TIME", Right: true, Spared: 4},
		{Title: "WHY", Spared: 3},
	}}
	var sum Planned
	var aside int64
	var states []string
	row := func(name, state, why string, v Planned, aside int64) []string {
		return []string{
			name, state, humanize.Comma(v.Copy.Objects), terminal.Size(v.Copy.Bytes), humanize.Comma(v.Adopt.Objects), humanize.Comma(aside),
			money(v.Dollars.Total), rough(v.Time.Seconds), why,
		}
	}
	for _, v := range all {
		state, why := v.state()
		states = append(states, state)
		t.Rows = append(t.Rows, row(v.Mapping, state, why, v, v.setAside()))
		sum.Copy.Objects, sum.Copy.Bytes = sum.Copy.Objects+v.Copy.Objects, sum.Copy.Bytes+v.Copy.Bytes
		sum.Adopt.Objects, aside = sum.Adopt.Objects+v.Adopt.Objects, aside+v.setAside()
		sum.Dollars.Total, sum.Time.Seconds = sum.Dollars.Total+v.Dollars.Total, sum.Time.Seconds+v.Time.Seconds
	}
	t.Total = row("total", "", "", sum, aside)
	t.Print(w, width)
	printable.Fprintf(w, "%s: %s\n", terminal.Counted(len(all), "mapping"), terminal.Tally(states, planOrder()))
	printable.Fprintln(w, "The total time is for one mapping after the other, as with backfill. `syncd plan --mapping NAME` shows one mapping in full.")
}
