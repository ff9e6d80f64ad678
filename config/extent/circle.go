package extent

import (
	"slices"
	"sort"
)

// Circle returns the index of the first mapping whose copies end up in its own source, or -1. It
// ignores mappings whose source or destination is the zero Extent.
func Circle(sources, destinations []Extent) int {
	f := newFlow(sources)
	for i, s := range sources {
		if s.Bucket != "" && destinations[i].Bucket != "" {
			f.fill(s, destinations[i])
		}
	}
	return f.circle()
}

// flow is a graph of the sources, with an edge from one source to another if a mapping copies from
// the first into the second. Mappings with the same source share a node. So the number of edges is
// linear even if thousands of mappings copy into one bucket, which is copied again.
type flow struct {
	nodes  []Extent // distinct and sorted: the sources inside a source directly follow it
	parent []int    // for each node, the index of the last earlier node whose prefix is a prefix of this node's, or -1
	edges  [][]edge
}

// edge leads to a node that a mapping copies into. Both fields are indices.
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

// begins returns the index of the last node at or before i whose prefix is a prefix of e's, or -1.
// All nodes between the returned node and e also begin with the prefix of the returned node.
func (f *flow) begins(i int, e Extent) int {
	for i >= 0 && (!f.nodes[i].Overlaps(e) || len(f.nodes[i].Prefix) > len(e.Prefix)) {
		i = f.parent[i]
	}
	return i
}

// at returns the index where an extent is or would be inserted in the nodes.
func (f *flow) at(e Extent) int {
	return sort.Search(len(f.nodes), func(i int) bool { return compare(f.nodes[i], e) >= 0 })
}

// fill adds the edges of a mapping.
func (f *flow) fill(source, destination Extent) {
	from, at := f.at(source), f.at(destination)
	add := func(to int) {
		if to != from { // otherwise the mapping writes what it reads, which is reported separately
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

// circle returns the first mapping of a circle, or -1 if there is none.
func (f *flow) circle() int {
	w := walk{flow: f, step: make([]int, len(f.nodes))}
	for n := range f.nodes {
		if i := w.from(n); i >= 0 {
			return i
		}
	}
	return -1
}

// walk is a depth-first search through a flow. step is the position of a node on the current path,
// counted from 1; 0 for a node not yet visited, and -1 for one that leads to no circle.
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
