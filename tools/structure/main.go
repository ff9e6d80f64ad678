// Command structure measures how a module is built: for each package its lines, its files, the
// largest cycle among these, the lengths of its functions and its exported names. It fails when a
// package is larger than one can hold in one's head, or stands on no floor of the plan, or imports
// one of a higher floor.
//
// Lines are those of files that are not tests, comments included. A cycle is a set of files each of
// which needs each other one, directly or through others: to understand one of them is to
// understand all. A package exports its exported names and their exported methods. The plan is the
// table of floors in a document, as [readPlan] describes it.
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

// The limits of a package.
const (
	maxLines = 2500 // of code and comments
	maxCycle = 4    // files that need each other
)

func main() {
	dir := flag.String("dir", ".", "folder of the module")
	plan := flag.String("plan", "", "document with the table of floors, for which imports are checked")
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

// run prints the table of the packages, and returns what is wrong with them.
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

// printTable prints a line for each package and one for all.
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
