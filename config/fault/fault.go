// Package fault reports what is wrong in a configuration file: each fault has its line, its config
// path, and a hint what to write instead.
//
// A [Report] collects the faults of a file, at most one for each value, up to a limit
// ([Report.Full]). It never shows text from under external_id, even if an alias repeats that text
// elsewhere. Packages document, decode and config find the faults.
//
// Two terms: a config path names one place in the file, as in mappings[0].destination.kms_key; a
// hidden word is text that no fault may quote.
package fault

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong in a configuration file.
type Fault struct {
	// File is the name the file was parsed under.
	File string
	// Line counts from 1. It is the line of the faulty value, or of the section that lacks it.
	Line int
	// Path is the config path, as in mappings[0].destination.kms_key; empty for the file as a
	// whole.
	Path string
	// Problem says what is wrong, in lower case, without a full stop.
	Problem string
	// Hint says what to write instead; it may be empty.
	Hint string
}

// String formats the fault as one line: syncd.yaml:12: PATH: PROBLEM; HINT.
func (f Fault) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: ", f.File, f.Line)
	if f.Path != "" {
		b.WriteString(f.Path + ": ")
	}
	b.WriteString(f.Problem)
	if f.Hint != "" {
		b.WriteString("; " + f.Hint)
	}
	return b.String()
}

// Faults is everything that is wrong in a configuration file, in the order of its lines. Package
// config returns it as an error of type *Faults.
type Faults []Fault //nolint:errname // a list, named for what it lists

// Error returns one line per fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
