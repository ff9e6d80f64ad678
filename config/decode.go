package config

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// maxValues bounds what aliases and merge keys may expand to; a file of ten thousand mappings stays below it.
const maxValues = 1 << 20

// maxElements is twice the ten thousand mappings that a file may well have; no other list is as long.
const maxElements = 20_000

// decoder assigns a document to Go values and reports everything that does not fit.
type decoder struct {
	*document
	*report
	values int
	quiet  bool // within an external id, of which no fault repeats a word
}

// decode assigns n, which stands at the config path, to v, which holds the default.
func (d *decoder) decode(n ast.Node, v reflect.Value, path string) {
	if e, ok := reflect.TypeAssert[*ExternalID](v.Addr()); ok {
		d.externalID(n, e, path)
		return
	}
	n, ok := d.resolve(n, path)
	if !ok {
		return
	}
	switch p := v.Addr().Interface().(type) {
	case *Tags:
		d.tags(n, p, path)
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

func (d *decoder) composite(n ast.Node, v reflect.Value, path string) {
	switch v.Kind() { //nolint:exhaustive // the schema has no other kinds, which the default case holds it to
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.Slice:
		d.list(n, v, path)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), path)
	default:
		panic("BUG: no decoder for " + v.Type().String())
	}
}

// resolve follows anchors and aliases to the value itself, which must not be null.
func (d *decoder) resolve(n ast.Node, path string) (ast.Node, bool) {
	if d.full() {
		return nil, false
	}
	if d.values++; d.values > maxValues {
		if d.values == maxValues+1 {
			d.add(path, "aliases expand to too many values", "write them out")
		}
		return nil, false
	}
	if d.hidden.nodes[n] && !d.quiet {
		d.hidden.paths[path] = true
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		return d.resolve(n.Value, path)
	case *ast.AliasNode:
		target := d.aliases[n]
		if target == nil {
			d.add(path, "alias"+d.unlessQuiet(" *"+n.Value.GetToken().Value)+" has no anchor before it", "")
			return nil, false
		}
		return d.resolve(target, path)
	case *ast.TagNode:
		d.add(path, "YAML tags"+d.unlessQuiet(" such as "+n.GetToken().Value)+" are not supported", "remove the tag")
		return nil, false
	case nil, *ast.NullNode:
		d.add(path, "has no value", "give it one or remove the key")
		return nil, false
	}
	return n, true
}

func (d *decoder) unlessQuiet(text string) string {
	if d.quiet {
		return ""
	}
	return text
}

// structure decodes a mapping with a fixed set of keys.
func (d *decoder) structure(n ast.Node, v reflect.Value, path string) {
	entries, ok := d.entries(n, path)
	if !ok {
		return
	}
	names, required := fields(v.Type())
	for _, e := range entries {
		at := child(path, e.key)
		i := slices.Index(names, e.key) // the fields of the file are first
		if i < 0 {
			d.addAt(e.line, at, "unknown key", suggestKey(e.key, names))
			continue
		}
		d.lines[at] = e.line
		d.decode(e.value, v.Field(i), at)
	}
	for _, name := range required {
		if !slices.ContainsFunc(entries, func(e entry) bool { return e.key == name }) {
			d.add(child(path, name), "is required", "")
		}
	}
}

// fields lists a struct's keys in the order of its fields, and those of them that a file must hold.
func fields(t reflect.Type) (names, required []string) {
	for f := range t.Fields() {
		if !f.IsExported() {
			break // what is not of the file
		}
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		names = append(names, name)
		if f.Tag.Get("jsonschema") == "required" {
			required = append(required, name)
		}
	}
	return names, required
}

// mapping decodes a mapping with keys of the file's own.
func (d *decoder) mapping(n ast.Node, v reflect.Value, path string) {
	entries, ok := d.entries(n, path)
	if !ok {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for _, e := range entries {
		at := child(path, e.key)
		d.lines[at] = e.line
		element := newElement(v.Type().Elem())
		d.decode(e.value, element, at)
		v.SetMapIndex(reflect.ValueOf(e.key), element)
	}
}

func (d *decoder) list(n ast.Node, v reflect.Value, path string) {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		d.add(path, "is "+kind(n)+", not a list", "put it in brackets: [ ]")
		return
	}
	if len(list.Values) > maxElements {
		d.add(path, fmt.Sprintf("has %d elements", len(list.Values)), fmt.Sprintf("use at most %d", maxElements))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), 0, len(list.Values)))
	for i, value := range list.Values {
		if d.full() {
			return
		}
		at := item(path, i)
		d.lines[at] = value.GetToken().Position.Line
		element := newElement(v.Type().Elem())
		d.decode(value, element, at)
		v.Set(reflect.Append(v, element))
	}
}

// newElement is a variable of type t that holds the default of its type.
func newElement(t reflect.Type) reflect.Value {
	v := reflect.New(t)
	switch p := v.Interface().(type) {
	case *Role:
		*p = DefaultRole()
	case *Mapping:
		*p = DefaultMapping()
	}
	return v.Elem()
}

func (d *decoder) leaf(n ast.Node, p encoding.TextUnmarshaler, path string) {
	text, ok := d.text(n, path)
	if !ok || !d.filled(text, path) {
		return
	}
	if err := p.UnmarshalText([]byte(text)); err != nil {
		d.addErr(path, err)
	}
}

func (d *decoder) choice(n ast.Node, v reflect.Value, choices []string, path string) {
	text, ok := d.text(n, path)
	switch {
	case !ok || !d.filled(text, path):
	case slices.Contains(choices, text):
		v.SetString(text)
	default:
		d.add(path, strconv.Quote(text)+" is none of "+strings.Join(choices, ", "), didYouMean(text, choices))
	}
}

// text is the text of a scalar as it was written, so that 64 and 64MiB reach a leaf alike.
func (d *decoder) text(n ast.Node, path string) (string, bool) {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		d.add(path, "is "+kind(n)+", not a single value", "")
		return "", false
	}
	return scalarText(n), true
}

func scalarText(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return n.GetToken().Value
}

// scalar decodes text, numbers and booleans into the pointer p. Text must be text in YAML too: an account such as
// 012345678901 is an octal number to other readers of the same file.
func (d *decoder) scalar(n ast.Node, p any, path string) {
	text, ok := d.text(n, path)
	if !ok || !d.filled(text, path) {
		return
	}
	var err error
	switch p := p.(type) {
	case *string:
		*p, err = text, wantKind(n, kindText, "put it in quotes")
	case *bool:
		*p, err = strings.EqualFold(text, "true"), wantKind(n, kindBoolean, "use true or false")
	case *int64:
		if err = wantKind(n, kindNumber, ""); err == nil {
			*p, err = parseInt(text)
		}
	case *float64:
		if err = wantKind(n, kindNumber, ""); err == nil {
			*p, err = parseFloat(text)
		}
	}
	if err != nil {
		d.addErr(path, err)
	}
}

func wantKind(n ast.Node, want, hint string) error {
	if got := kind(n); got != want {
		return &valueError{"is " + got + ", not " + want, hint}
	}
	return nil
}

func parseInt(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, &valueError{strconv.Quote(text) + " is not a whole number", "use decimal digits only"}
	}
	return n, nil
}

func parseFloat(text string) (float64, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, &valueError{strconv.Quote(text) + " is not a number", "use decimal digits"}
	}
	return f, nil
}

const (
	kindText    = "text"
	kindNumber  = "a number"
	kindBoolean = "a boolean"
)

// kind names what a node is.
func kind(n ast.Node) string {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return kindNumber
	case *ast.NanNode, *ast.InfinityNode:
		return "infinite or NaN"
	case *ast.BoolNode:
		return kindBoolean
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	}
	return kindText
}
