package web

import (
	"cmp"
	"slices"

	"syncd/internal/daemon/status"
)

// view is the data of the page.
type view struct {
	*status.Snapshot
	ByState []count          // the number of mappings in each state, most urgent first
	Chosen  status.State     // the state to show; "" for all
	Shown   []status.Mapping // the mappings to show, most urgent first
	Title   string
	Summary string
}

func viewOf(s *status.Snapshot, chosen status.State) view {
	v := view{Snapshot: s, Chosen: chosen, Title: titleText(s.Counts)}
	for _, state := range status.Urgency() {
		if n := s.Counts[state]; n > 0 {
			v.ByState = append(v.ByState, count{state, n})
		}
	}
	sorted := slices.SortedStableFunc(slices.Values(s.Mappings), func(a, b status.Mapping) int {
		return cmp.Or(cmp.Compare(a.State.Attention(), b.State.Attention()), cmp.Compare(a.Mapping, b.Mapping))
	})
	v.Summary = summaryText(sorted, v.ByState)
	for _, m := range sorted {
		if chosen == "" || m.State == chosen {
			v.Shown = append(v.Shown, m)
		}
	}
	return v
}
