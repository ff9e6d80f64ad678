package config

import (
	"reflect"

	"github.com/goccy/go-yaml/ast"
)

// externalID never repeats what it found, in whatever place: a template that misses may have put the secret into a key, a tag, the
// name of an anchor, of a variable or of a file.
func (d *decoder) externalID(n ast.Node, e *ExternalID, path string) {
	const hint = "use text in quotes, {file: PATH} or {env: NAME}"
	if text, ok := n.(*ast.StringNode); ok && text.Value == noExternalID {
		*e = NoExternalID()
		return
	}
	d.quiet = true
	defer func() { d.quiet = false }()
	n, ok := d.resolve(n, path)
	if !ok {
		return
	}
	switch n.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		text, _ := d.text(n, path)
		if text != ExternalIDPlaceholder && !d.filled(text, path) {
			return
		}
		*e = PlainExternalID(Secret(text))
	case *ast.MappingNode, *ast.MappingValueNode:
		pairs, _ := pairsOf(n)
		if target := e.target(pairs); target != nil {
			source, _ := d.entry(pairs[0], path)
			at := child(path, source.key)
			d.lines[at] = source.line
			var text string
			d.decode(source.value, reflect.ValueOf(&text).Elem(), at)
			*target = new(Secret(text))
			return
		}
		d.add(path, "is a mapping with other keys than file or env", hint)
	default:
		d.add(path, "is "+kind(n)+", not text", hint)
	}
}

// target is the field that the one key of a mapping names.
func (e *ExternalID) target(pairs []*ast.MappingValueNode) **Secret {
	if len(pairs) != 1 {
		return nil
	}
	switch pairs[0].Key.GetToken().Value {
	case "file":
		return &e.file
	case "env":
		return &e.env
	}
	return nil
}
