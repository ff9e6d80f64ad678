// Package decode assigns the nodes of a configuration file to the fields of Go types.
//
// A setting that is not in the file keeps its default. Unknown keys, duplicate keys, empty values,
// values of the wrong type and unreplaced placeholders are faults, each with its line; the package
// never guesses. Aliases and merge keys cannot expand without limit. A type can parse its own text
// (encoding.TextUnmarshaler), be a choice of words (Choices), or decode itself ([Custom]). A fault
// in an external id never quotes its text. Package config defines the schema, the defaults and the
// accepted values.
//
// Two terms: an element is an entry of a list or a map, and starts with the default of its type; a
// key is required when its field has the tag jsonschema:"required".
package decode

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"syncd/config/document"
	"syncd/config/fault"
	"syncd/config/secret"
)

// maxElements is the maximum number of elements of a list. It is twice the ten thousand mappings of
// a large file; all other lists are shorter.
const maxElements = 20_000

// Custom is implemented by types that decode themselves.
type Custom interface {
	DecodeNode(d *Decoder, n ast.Node, path string)
}

// Decoder assigns a document to Go values and reports everything that does not fit.
type Decoder struct {
	reader
	root reflect.Type
}

// Decode assigns a document to the value that target points to. Before the call, this value
// contains the defaults.
func Decode(doc *document.Document, target any, schema Schema, r *fault.Report) {
	v := reflect.ValueOf(target).Elem()
	d := Decoder{reader{Report: r, document: doc, schema: schema}, v.Type()}
	d.Value(doc.Root, v, "")
}

// Value assigns the node n at the config path to v. Before the call, v contains the default.
func (d *Decoder) Value(n ast.Node, v reflect.Value, path string) {
	if e, ok := reflect.TypeAssert[*secret.ExternalID](v.Addr()); ok {
		d.externalID(n, e, path)
		return
	}
	n, ok := d.resolve(n, path)
	if !ok {
		return
	}
	switch p := v.Addr().Interface().(type) {
	case Custom:
		p.DecodeNode(d, n, path)
	case interface{ Choices() []string }:
		d.choice(n, v, p.Choices(), path)
	case encoding.TextUnmarshaler:
		d.leaf(n, p, path)
	case *string, *bool, *int64, *float64:
		d.scalar(n, p, path)
	default:
		d.composite(n, v, path)
	}
}

func (d *Decoder) composite(n ast.Node, v reflect.Value, path string) {
	switch v.Kind() { //nolint:exhaustive // the schema has no other kinds; the default case panics on one
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.Value(n, v.Elem(), path)
	default:
		panic("BUG: no decoder for " + v.Type().String())
	}
}

// structure decodes a YAML mapping with a fixed set of keys.
func (d *Decoder) structure(n ast.Node, v reflect.Value, path string) {
	entries, ok := d.Entries(n, path)
	if !ok {
		return
	}
	names, required := fields(v.Type())
	for _, e := range entries {
		at := fault.Child(path, e.Key)
		i := slices.Index(names, e.Key) // also the field's index: exported fields come first
		if i < 0 {
			d.AddAt(e.Line, at, "unknown key", suggestKey(e.Key, names, d.root))
			continue
		}
		d.At(at, e.Line)
		d.Value(e.Value, v.Field(i), at)
	}
	for _, name := range required {
		if !slices.ContainsFunc(entries, func(e Entry) bool { return e.Key == name }) {
			d.Add(fault.Child(path, name), "is required", "")
		}
	}
}

// mapping decodes a YAML mapping with arbitrary keys.
func (d *Decoder) mapping(n ast.Node, v reflect.Value, path string) {
	entries, ok := d.Entries(n, path)
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range entries {
		at := fault.Child(path, e.Key)
		d.At(at, e.Line)
		element := d.newElement(v.Type().Elem())
		d.Value(e.Value, element, at)
		v.SetMapIndex(reflect.ValueOf(e.Key), element)
	}
}

func (d *Decoder) list(n ast.Node, v reflect.Value, path string) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		d.Add(path, "is "+document.Kind(n)+", not a list", "put it in brackets: [ ]")
		return
	}
	if len(list.Values) > maxElements {
		d.Add(path, fmt.Sprintf("has %d elements", len(list.Values)), fmt.Sprintf("use at most %d", maxElements))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(list.Values)))
	for i, value := range list.Values {
		if d.Full() {
			return
		}
		at := fault.Item(path, i)
		d.At(at, value.GetToken().Position.Line)
		element := d.newElement(v.Type().Elem())
		d.Value(value, element, at)
		v.Set(reflect.Append(v, element))
	}
}

// newElement returns a variable of type t that contains the default of its type.
func (d *Decoder) newElement(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	d.schema.Default(v.Interface())
	return v.Elem()
}
