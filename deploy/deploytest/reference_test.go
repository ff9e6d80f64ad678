package deploytest_test

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// references returns the variables, locals and resources that the module's expressions reference,
// for example {"aws_iam_role", "consumer"}.
func (m module) references() (found [][]string) {
	collect := func(body *hclsyntax.Body) {
		_ = hclsyntax.VisitAll(body, func(node hclsyntax.Node) hcl.Diagnostics {
			// A name without an attribute is not a reference, for example a variable of a for
			// expression.
			if traversal, ok := node.(*hclsyntax.ScopeTraversalExpr); ok && len(traversal.Traversal) > 1 {
				if attr, ok := traversal.Traversal[1].(hcl.TraverseAttr); ok {
					found = append(found, []string{traversal.Traversal.RootName(), attr.Name})
				}
			}
			return nil
		})
	}
	for _, block := range slices.Concat(m.resources) {
		collect(block.Body)
	}
	for _, block := range m.outputs {
		collect(block.Body)
	}
	for _, expr := range m.locals {
		collect(&hclsyntax.Body{Attributes: hclsyntax.Attributes{"x": {Name: "x", Expr: expr.(hclsyntax.Expression)}}})
	}
	return found
}

// has reports whether the module declares the variable, local or AWS resource that a reference
// names. It returns true for every other name, because such a name is a variable of a for
// expression.
func (m module) has(reference []string) bool {
	kind, name := reference[0], reference[1]
	switch kind {
	case "var":
		return m.variables[name] != nil
	case "local":
		return m.locals[name] != nil
	}
	if len(kind) < 4 || kind[:4] != "aws_" {
		return true
	}
	return slices.ContainsFunc(m.resources, func(r *hclsyntax.Block) bool { return r.Labels[0] == kind && r.Labels[1] == name })
}

// moduleCalls returns the modules that a folder calls, by folder name, with the names of their
// arguments.
func moduleCalls(t *testing.T, dir string) map[string]map[string]bool {
	t.Helper()
	calls := map[string]map[string]bool{}
	file := filepath.Join("..", "terraform", dir, "main.tf")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, diags := hclsyntax.ParseConfig(data, file, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, block := range parsed.Body.(*hclsyntax.Body).Blocks {
		if block.Type != "module" {
			continue
		}
		source, diags := block.Body.Attributes["source"].Expr.Value(nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		arguments := map[string]bool{}
		for name := range block.Body.Attributes {
			if name != "source" && name != "providers" {
				arguments[name] = true
			}
		}
		calls[path.Base(source.AsString())] = arguments
	}
	if len(calls) == 0 {
		t.Fatalf("%s: got no module calls, want some", dir)
	}
	return calls
}
