package cloudformation

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"syncd/internal/awsfake/form"
	"syncd/internal/awsfake/wire"
)

// template is a CloudFormation template with its short forms (!Ref) converted to long forms.
type template struct {
	text                                       string
	parameters, conditions, resources, outputs map[string]any
}

func parseTemplate(text string) (*template, error) {
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil || len(file.Docs) != 1 {
		return nil, form.ErrValidation("Template format error: YAML not well-formed. (%v)", err)
	}
	whole, ok := plain(file.Docs[0].Body).(map[string]any)
	if !ok {
		return nil, form.ErrValidation("Template format error: unsupported structure.")
	}
	section := func(name string) map[string]any {
		m, _ := whole[name].(map[string]any)
		return m
	}
	t := &template{text, section("Parameters"), section("Conditions"), section("Resources"), section("Outputs")}
	if len(t.resources) == 0 {
		return nil, form.ErrValidation("Template format error: At least one Resources member must be defined.")
	}
	for _, name := range slices.Sorted(maps.Keys(whole)) {
		if name == "Transform" || name == "Mappings" {
			return nil, wire.ErrNotImplemented("templates with " + name)
		}
	}
	return t, nil
}

// plain converts a node to JSON values, and short forms to long forms.
func plain(node ast.Node) any {
	switch n := node.(type) {
	case *ast.MappingNode:
		m := map[string]any{}
		for _, v := range n.Values {
			m[v.Key.GetToken().Value] = plain(v.Value)
		}
		return m
	case *ast.MappingValueNode:
		return map[string]any{n.Key.GetToken().Value: plain(n.Value)}
	case *ast.SequenceNode:
		list := []any{}
		for _, v := range n.Values {
			list = append(list, plain(v))
		}
		return list
	case *ast.TagNode:
		return longForm(strings.TrimPrefix(n.Start.Value, "!"), plain(n.Value))
	case *ast.LiteralNode:
		return n.Value.Value
	case ast.ScalarNode:
		return n.GetValue()
	}
	return nil
}

func longForm(name string, v any) any {
	switch name {
	case "Ref", "Condition":
		return map[string]any{name: v}
	case "GetAtt":
		if text, ok := v.(string); ok {
			resource, attribute, _ := strings.Cut(text, ".")
			v = []any{resource, attribute}
		}
	}
	return map[string]any{"Fn::" + name: v}
}

// document returns a template value as JSON.
func document(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic("BUG: the values of a template are those of JSON")
	}
	return string(text)
}
