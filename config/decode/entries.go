package decode

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"

	"syncd/config/document"
	"syncd/config/fault"
)

// Entry is one key of a YAML mapping with its value.
type Entry struct {
	Key   string
	Line  int
	Value ast.Node
}

// Entries lists the entries of a YAML mapping, including merged ones. The mapping's own keys win
// over merged keys, and earlier merged keys win over later ones (YAML 1.1 type "merge").
func (d *reader) Entries(n ast.Node, path string) ([]Entry, bool) {
	pairs, ok := document.Pairs(n)
	if !ok {
		d.Add(path, "is "+document.Kind(n)+", not a mapping", "")
		return nil, false
	}
	var own, merged []Entry
	first := map[string]int{} // the line of each key
	for _, pair := range pairs {
		if d.Full() {
			break
		}
		if pair.Key.IsMergeKey() {
			merged = append(merged, d.merged(pair.Value, path)...)
			continue
		}
		e, ok := d.entry(pair, path)
		if line, taken := first[e.Key]; ok && taken {
			d.AddAt(e.Line, fault.Child(path, e.Key), fmt.Sprintf("duplicate key, first on line %d", line), "keep one of them")
		} else if ok {
			first[e.Key] = e.Line
			own = append(own, e)
		}
	}
	for _, e := range merged {
		if _, taken := first[e.Key]; !taken {
			first[e.Key] = e.Line
			own = append(own, e)
		}
	}
	return own, true
}

func (d *reader) entry(pair *ast.MappingValueNode, path string) (Entry, bool) {
	line := pair.Key.GetToken().Position.Line
	if _, ok := pair.Key.(ast.ScalarNode); !ok {
		d.AddAt(line, path, "a key is not a plain word", "")
		return Entry{}, false
	}
	return Entry{pair.Key.GetToken().Value, line, pair.Value}, true
}

// merged lists the entries of a merge key, whose value is a mapping or a list of mappings.
func (d *reader) merged(n ast.Node, path string) []Entry {
	n, ok := d.resolve(n, path)
	if !ok {
		return nil
	}
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		entries, _ := d.Entries(n, path)
		return entries
	}
	var all []Entry
	for _, element := range list.Values {
		if m, ok := d.resolve(element, path); ok {
			entries, _ := d.Entries(m, path)
			all = append(all, entries...)
		}
	}
	return all
}
