package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"
)

// measure contains the measurements of one package.
type measure struct {
	path      string
	lines     int
	files     int
	cycle     []string // files of the largest cycle; empty if there is none
	functions []int    // lengths in lines
	exported  int
	imports   []string // packages in the same module
}

func measureOf(pkg *packages.Package) measure {
	m := measure{path: pkg.PkgPath, exported: exported(pkg.Types)}
	needs := map[string]map[string]bool{}
	for _, f := range pkg.Syntax {
		name := filepath.Base(pkg.Fset.Position(f.Pos()).Filename)
		m.files++
		m.lines += pkg.Fset.File(f.Pos()).LineCount()
		m.functions = append(m.functions, functions(pkg.Fset, f)...)
		needs[name] = neededBy(pkg, f, name)
	}
	m.cycle = largestCycle(needs)
	for path, imported := range pkg.Imports {
		if imported.Module != nil && pkg.Module != nil && imported.Module.Path == pkg.Module.Path {
			m.imports = append(m.imports, path)
		}
	}
	slices.Sort(m.imports)
	return m
}

// faults returns a text for each limit that the package exceeds.
func (m measure) faults() (faults []string) {
	if m.lines > maxLines {
		faults = append(faults, fmt.Sprintf("%s has %d lines, more than %d: split it", m.path, m.lines, maxLines))
	}
	if len(m.cycle) > maxCycle {
		faults = append(faults, fmt.Sprintf("%s has a cycle of %d files, more than %d: break it between %s", m.path, len(m.cycle), maxCycle,
			strings.Join(m.cycle, ", ")))
	}
	return faults
}

// lengths returns the median, the 90th percentile and the maximum of the function lengths, or 0
// without functions.
func (m measure) lengths() (median, p90, most int) {
	n := slices.Sorted(slices.Values(m.functions))
	if len(n) == 0 {
		return 0, 0, 0
	}
	return n[len(n)/2], n[len(n)*9/10], n[len(n)-1]
}

// functions returns the lengths of a file's functions in lines.
func functions(fset *token.FileSet, f *ast.File) (lengths []int) {
	for _, decl := range f.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
			lengths = append(lengths, fset.Position(fn.End()).Line-fset.Position(fn.Pos()).Line+1)
		}
	}
	return lengths
}

// neededBy returns the other files of the package that declare what a file uses: package-level
// names, methods and fields.
func neededBy(pkg *packages.Package, f *ast.File, name string) map[string]bool {
	needed := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		used := pkg.TypesInfo.Uses[id]
		if used == nil || used.Pkg() != pkg.Types || !isOfPackage(used, pkg.Types) {
			return true
		}
		if file := filepath.Base(pkg.Fset.Position(used.Pos()).Filename); file != name {
			needed[file] = true
		}
		return true
	})
	return needed
}

// isOfPackage reports whether a name is declared at package level, or is a method or a field.
func isOfPackage(o types.Object, pkg *types.Package) bool {
	switch o := o.(type) {
	case *types.Var:
		return o.IsField() || o.Parent() == pkg.Scope()
	case *types.Func:
		return o.Signature().Recv() != nil || o.Parent() == pkg.Scope()
	default:
		return o.Parent() == pkg.Scope()
	}
}

// exported counts the exported names of a package and the exported methods of its exported types.
func exported(pkg *types.Package) (n int) {
	for _, name := range pkg.Scope().Names() {
		o := pkg.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		n++
		if named, ok := o.Type().(*types.Named); ok && !isVariable(o) {
			for method := range named.Methods() {
				if method.Exported() {
					n++
				}
			}
		}
	}
	return n
}

// isVariable reports whether a name is not the name of a type, for example a variable. The methods
// of the type of a variable are counted with the type.
func isVariable(o types.Object) bool {
	_, isType := o.(*types.TypeName)
	return !isType
}

// largestCycle returns the largest set of files that all need each other, sorted, or nil if there
// is no cycle.
func largestCycle(needs map[string]map[string]bool) (largest []string) {
	reached := map[string]map[string]bool{}
	for file := range needs {
		reached[file] = map[string]bool{}
		reach(needs, file, reached[file])
	}
	for file := range needs {
		var cycle []string
		for other := range reached[file] {
			if reached[other][file] {
				cycle = append(cycle, other)
			}
		}
		if len(cycle) > max(1, len(largest)) {
			largest = cycle
		}
	}
	slices.Sort(largest)
	return largest
}

// reach adds the files that a file needs, directly or through other files, to reached.
func reach(needs map[string]map[string]bool, file string, reached map[string]bool) {
	for next := range needs[file] {
		if !reached[next] {
			reached[next] = true
			reach(needs, next, reached)
		}
	}
}
