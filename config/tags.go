package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// Tags says which of an object's tags travel with it: all, none, or those of certain keys.
type Tags struct {
	// Carry is copy or omit.
	Carry Carry
	// Only are the keys of the tags that travel, compared as they are; nil for all.
	Only []string
}

// Choose reports whether only some tags are copied.
func (t Tags) Choose() bool { return t.Carry == CarryCopy && len(t.Only) > 0 }

// MarshalYAML writes the form that the file has.
func (t Tags) MarshalYAML() (any, error) { return t.form(), nil }

// MarshalJSON writes the same in JSON.
func (t Tags) MarshalJSON() ([]byte, error) { return json.Marshal(t.form()) }

func (t Tags) form() any {
	if t.Only != nil {
		return map[string][]string{"only": t.Only}
	}
	return string(t.Carry)
}

// tags decodes copy, omit or {only: [KEY, ...]}.
func (d *decoder) tags(n ast.Node, t *Tags, path string) {
	const hint = "use copy, omit or {only: [KEY, ...]}"
	switch n.(type) {
	case *ast.SequenceNode:
		d.add(path, "is a list", hint)
		return
	case *ast.MappingNode, *ast.MappingValueNode:
	default:
		text, _ := d.text(n, path)
		if choices := t.Carry.Choices(); !slices.Contains(choices, text) {
			d.add(path, strconv.Quote(text)+" is none of "+strings.Join(choices, ", "), cmp.Or(didYouMean(text, choices), hint))
		}
		*t = Tags{Carry: Carry(text)}
		return
	}
	entries, ok := d.entries(n, path)
	if !ok {
		return
	}
	for _, e := range entries {
		at := child(path, e.key)
		if e.key != "only" {
			d.addAt(e.line, at, "unknown key", suggest(e.key, []string{"only"}))
			continue
		}
		d.lines[at] = e.line
		*t = Tags{Carry: CarryCopy}
		d.decode(e.value, reflect.ValueOf(&t.Only).Elem(), at)
	}
	if len(entries) == 0 {
		d.add(path, "is empty", hint)
	}
}

// tagKeys checks the keys of tags against what S3 takes: 1 to 128 Unicode characters, of which aws: is reserved ("Object tagging",
// Amazon S3 User Guide). An object has at most ten tags, but other objects may have others; a thousand keys are more than anybody
// means.
func (v *validator) tagKeys(keys []string, path string) {
	const most = 1000
	v.check(keys == nil || len(keys) > 0, path, "is empty", "name a key, or use omit")
	if len(keys) > most {
		v.fault(path, fmt.Sprintf("has %d keys", len(keys)), fmt.Sprintf("use at most %d", most))
		return
	}
	listed := map[string]bool{}
	for i, key := range keys {
		at := item(path, i)
		quoted := strconv.Quote(key)
		v.check(key != "" && utf8.RuneCountInString(key) <= 128 && utf8.ValidString(key), at, quoted+" is not 1 to 128 characters long", "")
		v.check(!strings.HasPrefix(strings.ToLower(key), "aws:"), at, quoted+" is a key that only AWS gives", "leave it out: no copy can have it")
		v.check(!listed[key], at, quoted+" is there twice", "keep one of them")
		listed[key] = true
	}
}
