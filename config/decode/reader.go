package decode

import (
	"github.com/goccy/go-yaml/ast"

	"syncd/config/document"
	"syncd/config/fault"
)

// maxValues bounds what aliases and merge keys may expand to; a file of ten thousand mappings stays
// below it.
const maxValues = 1 << 20

// Schema is what a decoder has to know of the types that it decodes into.
type Schema struct {
	// Default sets an element of a list or a map, which is a pointer, to the default of its type.
	Default func(element any)
	// MayHold reports whether what looks like a placeholder in a setting may be meant.
	MayHold func(path, text string) bool
}

// reader reads single values of a document, and reports those that are at fault.
type reader struct {
	*fault.Report
	document *document.Document
	schema   Schema
	values   int
	quiet    bool // within an external id, of which no fault repeats a word
}

// resolve follows anchors and aliases to the value itself, which must not be null.
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

// Text is the text of a scalar as it was written, so that 64 and 64MiB reach a leaf alike.
func (d *reader) Text(n ast.Node, path string) (string, bool) {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		d.Add(path, "is "+document.Kind(n)+", not a single value", "")
		return "", false
	}
	return document.Text(n), true
}
