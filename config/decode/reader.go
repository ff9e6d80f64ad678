package decode

import (
	"github.com/goccy/go-yaml/ast"

	"syncd/config/document"
	"syncd/config/fault"
)

// maxValues is the maximum number of values that aliases and merge keys expand to. A file of ten
// thousand mappings has fewer values.
const maxValues = 1 << 20

// Schema is what a decoder needs to know about the types that it decodes into.
type Schema struct {
	// Default sets *element, an element of a list or a map, to the default of its type.
	Default func(element any)
	// MayHold reports whether text that looks like a placeholder may be intended in a setting.
	MayHold func(path, text string) bool
}

// reader reads single values of a document and records their faults.
type reader struct {
	*fault.Report
	document *document.Document
	schema   Schema
	values   int
	quiet    bool // inside an external id, which no fault may quote
}

// resolve follows anchors and aliases to the value, which must not be null.
func (d *reader) resolve(n ast.Node, path string) (ast.Node, bool) {
	if d.Full() {
		return nil, false
	}
	if d.values++; d.values > maxValues {
		if d.values == maxValues+1 {
			d.Add(path, "aliases expand to too many values", "write them out")
		}
		return nil, false
	}
	if d.document.Hidden(n) && !d.quiet {
		d.HideSetting(path)
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		return d.resolve(n.Value, path)
	case *ast.AliasNode:
		target := d.document.Target(n)
		if target == nil {
			d.Add(path, "alias"+d.unlessQuiet(" *"+n.Value.GetToken().Value)+" has no anchor before it", "")
			return nil, false
		}
		return d.resolve(target, path)
	case *ast.TagNode:
		d.Add(path, "YAML tags"+d.unlessQuiet(" such as "+n.GetToken().Value)+" are not supported", "remove the tag")
		return nil, false
	case nil, *ast.NullNode:
		d.Add(path, "has no value", "give it one or remove the key")
		return nil, false
	}
	return n, true
}

func (d *reader) unlessQuiet(text string) string {
	if d.quiet {
		return ""
	}
	return text
}

// Text returns the text of a scalar as written, so that 64 and 64MiB are decoded in the same way.
func (d *reader) Text(n ast.Node, path string) (string, bool) {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		d.Add(path, "is "+document.Kind(n)+", not a single value", "")
		return "", false
	}
	return document.Text(n), true
}
