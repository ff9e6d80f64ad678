package config

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// entry is one key of a YAML mapping with its value.
type entry struct {
	key   string
	line  int
	value ast.Node
}

// entries lists what a mapping holds, merge keys included: a key of its own wins over a merged one, and the first
// merged one over later ones (YAML 1.1 type "merge").
func (d *decoder) entries(n ast.Node, path string) ([]entry, bool) {
	pairs, ok := pairsOf(n)
	if !ok {
		d.add(path, "is "+kind(n)+", not a mapping", "")
		return nil, false
	}
	var own, merged []entry
	first := map[string]int{} // the line of each key
	for _, pair := range pairs {
		if d.full() {
			break
		}
		if pair.Key.IsMergeKey() {
			merged = append(merged, d.merged(pair.Value, path)...)
			continue
		}
		e, ok := d.entry(pair, path)
		if line, taken := first[e.key]; ok && taken {
			d.addAt(e.line, child(path, e.key), fmt.Sprintf("duplicate key, first on line %d", line), "keep one of them")
		} else if ok {
			first[e.key] = e.line
			own = append(own, e)
		}
	}
	for _, e := range merged {
		if _, taken := first[e.key]; !taken {
			first[e.key] = e.line
			own = append(own, e)
		}
	}
	return own, true
}

func pairsOf(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

func (d *decoder) entry(pair *ast.MappingValueNode, path string) (entry, bool) {
	line := pair.Key.GetToken().Position.Line
	if _, ok := pair.Key.(ast.ScalarNode); !ok {
		d.addAt(line, path, "a key is not a plain word", "")
		return entry{}, false
	}
	return entry{pair.Key.GetToken().Value, line, pair.Value}, true
}

// merged lists what a merge key brings: a mapping, or a list of mappings.
func (d *decoder) merged(n ast.Node, path string) []entry {
	n, ok := d.resolve(n, path)
	if !ok {
		return nil
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		entries, _ := d.entries(n, path)
		return entries
	}
	var all []entry
	for _, element := range list.Values {
		if m, ok := d.resolve(element, path); ok {
			entries, _ := d.entries(m, path)
			all = append(all, entries...)
		}
	}
	return all
}
