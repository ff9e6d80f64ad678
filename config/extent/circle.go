package extent

import (
	"slices"
	"sort"
)

// Circle returns the index of the first mapping whose copies come back to its own source, or -1. A
// mapping whose source or destination is the zero Extent fills nothing.
func Circle(sources, destinations []Extent) int {
	f := newFlow(sources)
	for i, s := range sources {
		if s.Bucket != "" && destinations[i].Bucket != "" {
			f.fill(s, destinations[i])
		}
	}
	return f.circle()
}

// flow says which sources are filled from which. Mappings of one source are one node: so thousands
// of tenants that are brought together and copied on have thousands of edges, not their square.
type flow struct {
	nodes  []Extent // the different sources, in order: those that begin with the same prefix follow it without a gap
	parent []int    // of a node, the last before it whose prefix begins its own, or -1
	edges  [][]edge
}

// edge is a node that a mapping fills.
type edge struct{ node, mapping int }

func newFlow(sources []Extent) *flow {
	f := &flow{}
	for _, s := range sources {
		if s.Bucket != "" {
			f.nodes = append(f.nodes, s)
		}
	}
	slices.SortStableFunc(f.nodes, compare)
	f.nodes = slices.CompactFunc(f.nodes, func(a, b Extent) bool { return compare(a, b) == 0 })
	f.parent, f.edges = make([]int, len(f.nodes)), make([][]edge, len(f.nodes))
	for i, n := range f.nodes {
		f.parent[i] = f.begins(i-1, n)
	}
	return f
}

// begins finds the last node up to i whose prefix begins that of e, or -1; everything between it
// and e begins with the same.
func (f *flow) begins(i int, e Extent) int {
	for i >= 0 && (!f.nodes[i].Overlaps(e) || len(f.nodes[i].Prefix) > len(e.Prefix)) {
		i = f.parent[i]
	}
	return i
}

// at is where an extent is among the nodes, or would be.
func (f *flow) at(e Extent) int {
	return sort.Search(len(f.nodes), func(i int) bool { return compare(f.nodes[i], e) >= 0 })
}

// fill adds the edges of a mapping.
func (f *flow) fill(source, destination Extent) {
	from, at := f.at(source), f.at(destination)
	add := func(to int) {
		if to != from { // else the mapping writes what it reads, which is a fault of its own
			f.edges[from] = append(f.edges[from], edge{to, source.Mapping})
		}
	}
	for i := at; i < len(f.nodes) && f.nodes[i].Overlaps(destination); i++ {
		add(i)
	}
	for i := f.begins(at-1, destination); i >= 0; i = f.parent[i] {
		add(i)
	}
}

// circle returns the first mapping of a circle, or -1.
func (f *flow) circle() int {
	w := walk{flow: f, step: make([]int, len(f.nodes))}
	for n := range f.nodes {
		if i := w.from(n); i >= 0 {
			return i
		}
	}
	return -1
}

// walk is a way through a flow; step is where on the way a node is, counted from 1, 0 for one not
// seen and -1 for one that leads nowhere.
type walk struct {
	*flow
	step     []int
	mappings []int
}

func (w *walk) from(n int) int {
	if w.step[n] > 0 {
		return slices.Min(w.mappings[w.step[n]-1:])
	}
	if w.step[n] < 0 {
		return -1
	}
	w.step[n] = len(w.mappings) + 1
	for _, e := range w.edges[n] {
		w.mappings = append(w.mappings, e.mapping)
		if i := w.from(e.node); i >= 0 {
			return i
		}
		w.mappings = w.mappings[:len(w.mappings)-1]
	}
	w.step[n] = -1
	return -1
}
