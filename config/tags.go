package config

import (
	"cmp"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"syncd/config/decode"
	"syncd/config/fault"
	"syncd/internal/hint"
)

var _ decode.Custom = (*Tags)(nil)

// Tags says which tags are copied with an object: all, none, or those with certain keys.
type Tags struct {
	// Carry is copy or omit.
	Carry Carry
	// Only lists the keys of the tags that are copied, compared exactly; nil for all.
	Only []string
}

// MarshalYAML writes the tags as the configuration file does.
func (t Tags) MarshalYAML() (any, error) { return t.form(), nil }

// MarshalJSON writes the tags as JSON, in the same form as MarshalYAML.
func (t Tags) MarshalJSON() ([]byte, error) { return json.Marshal(t.form()) }

func (t Tags) form() any {
	if t.Only != nil {
		return map[string][]string{"only": t.Only}
	}
	return string(t.Carry)
}

// DecodeNode decodes copy, omit or {only: [KEY, ...]}.
func (t *Tags) DecodeNode(d *decode.Decoder, n ast.Node, path string) {
	const usage = "use copy, omit or {only: [KEY, ...]}"
	switch n.(type) {
	case *ast.SequenceNode:
		d.Add(path, "is a list", usage)
		return
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		text, _ := d.Text(n, path)
		if choices := t.Carry.Choices(); !slices.Contains(choices, text) {
			d.Add(path, strconv.Quote(text)+" is not one of "+strings.Join(choices, ", "), cmp.Or(hint.DidYouMean(text, choices), usage))
		}
		*t = Tags{Carry: Carry(text)}
		return
	}
	entries, ok := d.Entries(n, path)
	if !ok {
		return
	}
	for _, e := range entries {
		at := fault.Child(path, e.Key)
		if e.Key != "only" {
			d.AddAt(e.Line, at, "unknown key", hint.OneOf(e.Key, []string{"only"}))
			continue
		}
		d.At(at, e.Line)
		*t = Tags{Carry: CarryCopy}
		d.Value(e.Value, reflect.ValueOf(&t.Only).Elem(), at)
	}
	if len(entries) == 0 {
		d.Add(path, "is empty", usage)
	}
}
