// Command structure measures the packages of a module: lines, files, the largest cycle of files,
// function lengths and exported names. It fails if a package exceeds a limit, has no floor in the
// plan, or imports a package on a higher floor.
//
// Lines include comments but not tests. A cycle is a set of files that all need each other,
// directly or through other files. To understand one file of a cycle, you have to understand all of
// them. Exported names include exported methods. The plan is the table of floors in a document, see
// [readPlan].
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/tools/go/packages"
)

// Limits for a package.
const (
	maxLines = 2500 // code and comments
	maxCycle = 4    // files of the largest cycle
)

func main() {
	dir := flag.String("dir", ".", "directory of the module")
	plan := flag.String("plan", "", "document with the table of floors; if set, imports are checked against it")
	flag.Parse()
	out := bufio.NewWriter(os.Stdout)
	faults, err := run(out, *dir, *plan)
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "structure:", err)
		os.Exit(2)
	}
	for _, fault := range faults {
		fmt.Fprintln(os.Stderr, "structure:", fault)
	}
	if len(faults) > 0 {
		os.Exit(1)
	}
}

// run prints the table of packages and returns the faults.
func run(w io.Writer, dir, planFile string) (faults []string, err error) {
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedSyntax | packages.NeedTypes | packages.NeedTypesInfo |
			packages.NeedImports | packages.NeedDeps | packages.NeedModule,
		Dir: dir,
	}, "./...")
	if err != nil {
		return nil, err
	}
	var measured []measure
	for _, pkg := range loaded {
		if len(pkg.Errors) > 0 {
			return nil, fmt.Errorf("load %s: %w", pkg.PkgPath, pkg.Errors[0])
		}
		if m := measureOf(pkg); m.files > 0 {
			measured = append(measured, m)
			faults = append(faults, m.faults()...)
		}
	}
	edges := 0
	for _, m := range measured {
		edges += len(m.imports)
	}
	if err := printTable(w, measured); err != nil {
		return nil, err
	}
	if planFile == "" {
		return faults, nil
	}
	p, err := readPlan(planFile)
	if err != nil {
		return nil, err
	}
	upward := p.upward(measured)
	_, err = fmt.Fprintf(w, "imports between packages: %d; upward: %d\n", edges, len(upward))
	return slices.Concat(faults, p.unknown(measured), upward), err
}

// printTable prints a line for each package and one with the totals.
func printTable(to io.Writer, measured []measure) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	const row = "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n"
	fmt.Fprintln(w, "PACKAGE\tLINES\tFILES\tCYCLE\tFUNCTIONS\tMEDIAN\tP90\tMAX\tEXPORTED")
	all := measure{path: "all"}
	slices.SortFunc(measured, func(a, b measure) int { return strings.Compare(a.path, b.path) })
	for _, m := range measured {
		median, p90, most := m.lengths()
		fmt.Fprintf(w, row, m.path, m.lines, m.files, len(m.cycle), len(m.functions), median, p90, most, m.exported)
		all.lines, all.files, all.exported = all.lines+m.lines, all.files+m.files, all.exported+m.exported
		all.functions = append(all.functions, m.functions...)
		if len(m.cycle) > len(all.cycle) {
			all.cycle = m.cycle
		}
	}
	median, p90, most := all.lengths()
	fmt.Fprintf(w, row, all.path, all.lines, all.files, len(all.cycle), len(all.functions), median, p90, most, all.exported)
	return w.Flush()
}
