package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"

	"syncd/config"
	"syncd/config/schedule"
	"syncd/config/secret"
	"syncd/config/value"
)

// TestSchema checks that the JSON schema, which editors use to check a file, matches the types.
// With -update it writes the schema.
func TestSchema(t *testing.T) {
	data, err := json.MarshalIndent(schema(t), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, "syncd.schema.json", string(data)+"\n")
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	r := jsonschema.Reflector{
		Anonymous:                  true,
		ExpandedStruct:             true,
		RequiredFromJSONSchemaTags: true,
		FieldNameTag:               "yaml",
		Mapper:                     leafSchema,
	}
	if err := r.AddGoComments("syncd/config", "."); err != nil {
		t.Fatal(err)
	}
	for name, text := range r.CommentMap {
		r.CommentMap[name] = strings.Join(strings.Fields(text), " ")
	}
	s := r.Reflect(&config.Config{})
	s.Title = "syncd configuration"
	setDefaults(t, s, config.Default())
	setDefaults(t, s.Definitions["HTTP"], config.Default().HTTP)
	setDefaults(t, s.Definitions["Log"], config.Default().Log)
	setDefaults(t, s.Definitions["Checkpoint"], config.Default().Checkpoint)
	setDefaults(t, s.Definitions["Role"], config.DefaultRole())
	setDefaults(t, s.Definitions["Destination"], config.DefaultMapping().Destination)
	setDefaults(t, s.Definitions["Copy"], config.DefaultMapping().Copy)
	setDefaults(t, s.Definitions["Delete"], config.DefaultMapping().Delete)
	return s
}

// leafSchema returns the schema of types that decode themselves.
func leafSchema(t reflect.Type) *jsonschema.Schema {
	text := func(pattern string) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: pattern} }
	const size = `^[0-9][0-9.,]*( ?([kKMGTPE]i?)?[bB]?)?$`
	v := reflect.New(t).Elem().Interface()
	if c, ok := v.(interface{ Choices() []string }); ok {
		s := &jsonschema.Schema{Type: "string"}
		for _, choice := range c.Choices() {
			s.Enum = append(s.Enum, choice)
		}
		return s
	}
	switch v.(type) {
	case value.Size:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "0"}, text(size)}}
	case value.AutoSize:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1"}, text(`^auto$|` + size)}}
	case value.AutoInt:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "integer", Minimum: "1"}, {Const: "auto"}}}
	case value.Duration:
		return text(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`)
	case value.Period:
		return text(`^([0-9]+[dy]|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$`)
	case config.Tags:
		return tagsSchema()
	case value.Time:
		return text(`^$|^[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?$`)
	case schedule.Schedule, value.Glob:
		return &jsonschema.Schema{Type: "string"}
	case secret.ExternalID:
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{text(""), only("file"), only("env")}}
	}
	return nil
}

// tagsSchema returns the schema of Tags: a choice, or an object with a list of keys.
func tagsSchema() *jsonschema.Schema {
	choice, list := &jsonschema.Schema{Type: "string"}, only("only")
	for _, c := range config.Carry("").Choices() {
		choice.Enum = append(choice.Enum, c)
	}
	key := &jsonschema.Schema{Type: "string", MinLength: new(uint64(1)), MaxLength: new(uint64(128))}
	list.Properties.Set("only", &jsonschema.Schema{Type: "array", Items: key, MinItems: new(uint64(1)), UniqueItems: true})
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{choice, list}}
}

// only returns the schema of an object with exactly this key.
func only(key string) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type: "object", Required: []string{key}, Properties: jsonschema.NewProperties(),
		AdditionalProperties: jsonschema.FalseSchema,
	}
	s.Properties.Set(key, &jsonschema.Schema{Type: "string"})
	return s
}

// setDefaults copies the nonzero scalars of a default value into the schema.
func setDefaults(t *testing.T, s *jsonschema.Schema, value any) {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var defaults map[string]any
	if err := yaml.Unmarshal(text, &defaults); err != nil {
		t.Fatal(err)
	}
	for key, v := range defaults {
		if kind := reflect.ValueOf(v).Kind(); kind == reflect.Invalid || kind == reflect.Map || kind == reflect.Slice || reflect.ValueOf(v).IsZero() {
			continue
		}
		property, ok := s.Properties.Get(key)
		if !ok {
			t.Fatalf("the schema has no property %s", key)
		}
		property.Default = v
	}
}

// TestExamplesConformToSchema checks that the examples, and the file with every key, use the keys
// and types of the schema.
func TestExamplesConformToSchema(t *testing.T) {
	root := schema(t)
	for _, path := range append(examples(t), "testdata/every-key.yaml") {
		for _, problem := range nonconforming(root, root, readYAML(t, path), "") {
			t.Errorf("%s: %s", path, problem)
		}
	}
	for _, path := range examples(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		const line = "# yaml-language-server: $schema=../syncd.schema.json\n"
		if !strings.HasPrefix(string(data), line) {
			t.Errorf("%s: does not begin with %q", path, line)
		}
	}
}

func TestSchemaRefusesUnknownKeys(t *testing.T) {
	root := schema(t)
	got := nonconforming(root, root, readYAML(t, "testdata/many-faults.yaml"), "")
	if !slices.Contains(got, "mappings[0].destination.acount: unknown key") {
		t.Errorf("got %q, want the unknown key among them", got)
	}
}

// TestEveryKeyIsTested checks that every-key.yaml contains every key of the schema.
func TestEveryKeyIsTested(t *testing.T) {
	data, err := os.ReadFile("testdata/every-key.yaml")
	if err != nil {
		t.Fatal(err)
	}
	root := schema(t)
	definitions := []*jsonschema.Schema{root}
	for _, d := range root.Definitions {
		definitions = append(definitions, d)
	}
	for _, d := range definitions {
		for p := d.Properties.Oldest(); p != nil; p = p.Next() {
			if !strings.Contains(string(data), p.Key+":") {
				t.Errorf("key %s is missing", p.Key)
			}
		}
	}
}

func readYAML(t *testing.T, path string) any {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// nonconforming lists where a value has unknown keys, lacks required keys, or has the wrong shape.
// Parse checks the constraints on scalars.
func nonconforming(root, s *jsonschema.Schema, value any, path string) (problems []string) {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		s = root.Definitions[name]
	}
	switch v := value.(type) {
	case map[string]any:
		if len(s.OneOf) > 0 {
			return nil
		}
		for _, key := range s.Required {
			if _, ok := v[key]; !ok {
				problems = append(problems, fmt.Sprintf("%s.%s: is required", path, key))
			}
		}
		for key, element := range v {
			at := strings.TrimPrefix(path+"."+key, ".")
			property := s.AdditionalProperties
			if s.Properties != nil {
				property, _ = s.Properties.Get(key)
			}
			if property == nil {
				problems = append(problems, at+": unknown key")
				continue
			}
			problems = append(problems, nonconforming(root, property, element, at)...)
		}
	case []any:
		if s.Items == nil {
			return []string{path + ": is a list"}
		}
		for i, element := range v {
			problems = append(problems, nonconforming(root, s.Items, element, fmt.Sprintf("%s[%d]", path, i))...)
		}
	default:
		if s.Type == "object" || s.Type == "array" {
			return []string{path + ": is a scalar"}
		}
	}
	return problems
}
