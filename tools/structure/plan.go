package main

import (
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// floors returns the names of the plan's floors, lowest first. Floor "apart" is for test support
// and the demo; only packages on floor "roof" import packages on floor "apart".
func floors() []string { return []string{"names", "ground", "2", "3", "4", "5", "6", "apart", "roof"} }

// plan maps packages to floors.
type plan struct {
	file  string
	floor map[string]int // by the package path relative to the module
}

// readPlan reads the table whose header starts with "| floor | package |". The second column of
// each row names packages in backticks. A name that ends in a slash is a prefix for the names after
// it in the row, not a package.
func readPlan(file string) (plan, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return plan{}, err
	}
	p := plan{file: file, floor: map[string]int{}}
	_, table, ok := strings.Cut(string(text), "\n| floor | package |")
	if !ok {
		return plan{}, fmt.Errorf("%s has no table of floors: want a header that begins with \"| floor | package |\"", file)
	}
	table, _, _ = strings.Cut(table, "\n\n")
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			return plan{}, fmt.Errorf("%s: %q is not a row of the table of floors", file, line)
		}
		floor := slices.Index(floors(), strings.TrimSpace(cells[1]))
		if floor < 0 {
			return plan{}, fmt.Errorf("%s: %q is not a floor, want one of %q", file, strings.TrimSpace(cells[1]), floors())
		}
		for _, name := range named(cells[2]) {
			if _, isThere := p.floor[name]; isThere {
				return plan{}, fmt.Errorf("%s names %s twice", file, name)
			}
			p.floor[name] = floor
		}
	}
	return p, nil
}

// named returns the packages in a cell.
func named(cell string) (names []string) {
	parent := ""
	for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
		if strings.HasSuffix(match[1], "/") {
			parent = match[1]
			continue
		}
		names = append(names, path.Clean(parent+match[1]))
	}
	return names
}

// upward returns a fault for each import of a package on a higher floor than the importing package.
func (p plan) upward(measured []measure) (faults []string) {
	for _, m := range measured {
		name := inModule(m.path)
		floor, ok := p.floor[name]
		for _, imported := range m.imports {
			if other := p.floor[inModule(imported)]; ok && other > floor {
				faults = append(faults, fmt.Sprintf("%s (%s) imports %s (%s): imports point down", name, floors()[floor], inModule(imported), floors()[other]))
			}
		}
	}
	return faults
}

// unknown returns a fault for each package that the plan lacks, and for each package in the plan
// that does not exist.
func (p plan) unknown(measured []measure) (faults []string) {
	isThere := map[string]bool{}
	for _, m := range measured {
		name := inModule(m.path)
		isThere[name] = true
		if _, ok := p.floor[name]; !ok {
			faults = append(faults, fmt.Sprintf("%s is not on any floor of %s: add it to the table", name, p.file))
		}
	}
	for name := range p.floor {
		if !isThere[name] {
			faults = append(faults, fmt.Sprintf("%s names %s, which is not a package: correct the table", p.file, name))
		}
	}
	slices.Sort(faults)
	return faults
}

// inModule returns the path of a package relative to the module.
func inModule(pkgPath string) string {
	_, name, _ := strings.Cut(pkgPath, "/")
	return name
}
