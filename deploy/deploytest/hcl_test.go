package deploytest_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// A module is a Terraform module, as far as it can be evaluated without a provider: its variables,
// locals and outputs.
type module struct {
	dir       string
	source    map[string][]byte // files by name
	variables map[string]*hclsyntax.Block
	outputs   map[string]*hclsyntax.Block
	resources []*hclsyntax.Block
	locals    map[string]hcl.Expression
}

// loadModule parses every file of a folder in deploy/terraform.
func loadModule(t *testing.T, dir string) module {
	t.Helper()
	m := module{
		dir: dir, source: map[string][]byte{}, variables: map[string]*hclsyntax.Block{}, outputs: map[string]*hclsyntax.Block{},
		locals: map[string]hcl.Expression{},
	}
	files, err := filepath.Glob(filepath.Join("..", "terraform", dir, "*.tf"))
	if err != nil || len(files) == 0 {
		t.Fatalf("list the files of %s: got %d files, error %v", dir, len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m.source[file] = data
		parsed, diags := hclsyntax.ParseConfig(data, file, hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
			m.add(t, block)
		}
	}
	return m
}

func (m *module) add(t *testing.T, block *hclsyntax.Block) {
	t.Helper()
	switch block.Type {
	case "variable":
		m.variables[block.Labels[0]] = block
	case "output":
		m.outputs[block.Labels[0]] = block
	case "locals":
		for name, attribute := range block.Body.Attributes {
			m.locals[name] = attribute.Expr
		}
	case "resource":
		m.resources = append(m.resources, block)
	case "terraform", "provider", "module":
	default:
		t.Errorf("%s: got a block %q, want one that the tests know", m.dir, block.Type)
	}
}

// evaluate sets and validates the variables as Terraform does, and evaluates the locals. made
// stands in for the attributes of resources.
func (m module) evaluate(given, made map[string]cty.Value) (*hcl.EvalContext, error) {
	vars, err := m.assign(given)
	if err != nil {
		return nil, err
	}
	scope := &hcl.EvalContext{Functions: functions(), Variables: map[string]cty.Value{"var": cty.ObjectVal(vars)}}
	maps.Copy(scope.Variables, made)
	if err := m.validate(scope); err != nil {
		return nil, err
	}
	return scope, m.resolve(scope)
}

// assign converts values to the types of their variables and sets defaults.
func (m module) assign(given map[string]cty.Value) (map[string]cty.Value, error) {
	vars := map[string]cty.Value{}
	for name, block := range m.variables {
		constraint, defaults, diags := typeexpr.TypeConstraintWithDefaults(block.Body.Attributes["type"].Expr)
		if diags.HasErrors() {
			return nil, diags
		}
		value, ok := given[name]
		if !ok {
			fallback, optional := block.Body.Attributes["default"]
			if !optional {
				return nil, errors.New("variable " + name + " has no value")
			}
			value, diags = fallback.Expr.Value(nil)
			if diags.HasErrors() {
				return nil, diags
			}
		}
		if defaults != nil && !value.IsNull() {
			value = defaults.Apply(value)
		}
		value, err := convert.Convert(value, constraint)
		if err != nil {
			return nil, err
		}
		vars[name] = value
	}
	for name := range given {
		if m.variables[name] == nil {
			return nil, errors.New("no variable " + name)
		}
	}
	return vars, nil
}

// validate evaluates the validation blocks of the variables.
func (m module) validate(scope *hcl.EvalContext) error {
	for _, block := range m.variables {
		for _, inner := range block.Body.Blocks {
			ok, diags := inner.Body.Attributes["condition"].Expr.Value(scope)
			if diags.HasErrors() {
				return diags
			}
			if ok.False() {
				message, _ := inner.Body.Attributes["error_message"].Expr.Value(scope)
				return errors.New(message.AsString())
			}
		}
	}
	return nil
}

// resolve evaluates locals in dependency order.
func (m module) resolve(scope *hcl.EvalContext) error {
	known := map[string]cty.Value{}
	for len(known) < len(m.locals) {
		before := len(known)
		var last error
		for name, expr := range m.locals {
			if _, done := known[name]; done || !ready(expr, known) {
				continue
			}
			scope.Variables["local"] = cty.ObjectVal(known)
			value, diags := expr.Value(scope)
			if diags.HasErrors() {
				last = errors.Join(last, diags)
				continue
			}
			known[name] = value
		}
		if len(known) == before {
			return errors.Join(errors.New("resolve locals: none can be"), last)
		}
	}
	scope.Variables["local"] = cty.ObjectVal(known)
	return nil
}

// ready reports whether every local that an expression references is known.
func ready(expr hcl.Expression, known map[string]cty.Value) bool {
	return !slices.ContainsFunc(expr.Variables(), func(traversal hcl.Traversal) bool {
		if traversal.RootName() != "local" {
			return false
		}
		_, ok := known[traversal[1].(hcl.TraverseAttr).Name]
		return !ok
	})
}

// description returns a block's description.
func description(t *testing.T, block *hclsyntax.Block) string {
	t.Helper()
	attribute, ok := block.Body.Attributes["description"]
	if !ok {
		t.Fatalf("%s %s: got no description, want one", block.Type, block.Labels[0])
	}
	value, diags := attribute.Expr.Value(nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return value.AsString()
}

// functions returns the Terraform functions that the modules call.
func functions() map[string]function.Function {
	text := func(name string) function.Parameter { return function.Parameter{Name: name, Type: cty.String} }
	whether := func(f func(s, part string) bool) function.Function {
		return function.New(&function.Spec{
			Params: []function.Parameter{text("text"), text("part")}, Type: function.StaticReturnType(cty.Bool),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
			},
		})
	}
	return map[string]function.Function{
		"can": tryfunc.CanFunc, "coalesce": stdlib.CoalesceFunc, "concat": stdlib.ConcatFunc, "distinct": stdlib.DistinctFunc,
		"endswith": whether(strings.HasSuffix), "floor": stdlib.FloorFunc, "jsonencode": stdlib.JSONEncodeFunc, "keys": stdlib.KeysFunc,
		"length": lengthFunc(), "merge": stdlib.MergeFunc, "one": oneFunc(), "regex": stdlib.RegexFunc,
		"replace": replaceFunc(), "split": stdlib.SplitFunc, "startswith": whether(strings.HasPrefix), "values": stdlib.ValuesFunc,
	}
}

// oneFunc is Terraform's one function: the only element of a list, or null if the list is empty.
func oneFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
		Type:   function.StaticReturnType(cty.DynamicPseudoType),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			switch args[0].LengthInt() {
			case 0:
				return cty.NullVal(cty.String), nil
			case 1:
				return args[0].Index(cty.Zero), nil
			default:
				return cty.NilVal, errors.New("must have at most one element")
			}
		},
	})
}

// lengthFunc is Terraform's length function, which also counts the characters of a string.
func lengthFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType}}, Type: function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if args[0].Type() == cty.String {
				return stdlib.Strlen(args[0])
			}
			return args[0].Length(), nil
		},
	})
}

// replaceFunc is Terraform's replace function: a pattern between slashes is a regular expression.
func replaceFunc() function.Function {
	params := []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}, {Name: "by", Type: cty.String}}
	return function.New(&function.Spec{
		Params: params, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			pattern := args[1].AsString()
			if len(pattern) > 1 && pattern[0] == '/' && pattern[len(pattern)-1] == '/' {
				return stdlib.RegexReplace(args[0], cty.StringVal(pattern[1:len(pattern)-1]), args[2])
			}
			return stdlib.Replace(args[0], args[1], args[2])
		},
	})
}
