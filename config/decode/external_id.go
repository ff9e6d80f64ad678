package decode

import (
	"github.com/goccy/go-yaml/ast"

	"syncd/config/document"
	"syncd/config/fault"
	"syncd/config/secret"
)

// externalID decodes an external id. Its faults never quote the file: a wrong template may have put
// the secret into a key, a tag, or the name of an anchor, a variable or a file.
func (d *reader) externalID(n ast.Node, e *secret.ExternalID, path string) {
	const hint = "use text in quotes, {file: PATH} or {env: NAME}"
	if text, ok := n.(*ast.StringNode); ok && text.Value == secret.None {
		*e = secret.NoExternalID()
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
		text, _ := d.Text(n, path)
		if text != secret.Placeholder && !d.filled(text, path) {
			return
		}
		*e = secret.PlainExternalID(secret.Secret(text))
	case *ast.MappingNode, *ast.MappingValueNode:
		pairs, _ := document.Pairs(n)
		if from := readFrom(pairs); from != nil {
			source, _ := d.entry(pairs[0], path)
			at := fault.Child(path, source.Key)
			d.At(at, source.Line)
			var name string
			if value, ok := d.resolve(source.Value, at); ok {
				d.scalar(value, &name, at)
			}
			*e = from(name)
			return
		}
		d.Add(path, "is a mapping with keys other than file or env", hint)
	default:
		d.Add(path, "is "+document.Kind(n)+", not text", hint)
	}
}

// readFrom returns the constructor for a mapping whose only key is file or env, or nil for any
// other mapping.
func readFrom(pairs []*ast.MappingValueNode) func(name string) secret.ExternalID {
	if len(pairs) != 1 {
		return nil
	}
	switch pairs[0].Key.GetToken().Value {
	case "file":
		return secret.FileExternalID
	case "env":
		return secret.EnvExternalID
	}
	return nil
}
