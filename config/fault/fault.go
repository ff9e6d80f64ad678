// Package fault reports what is wrong in a configuration file: each fault with its line, its config
// path, and what to write instead.
//
// It promises that all faults of a file are found in one go, that a value is reported once, that
// the list ends ([Report.Full]), and that nothing which was read below an external id is in it,
// wherever an alias carried it. What is a fault is left to those who read the file (document,
// decode) and judge it (config).
//
// Two words: a config path names one place in the file, as in mappings[0].destination.kms_key; a
// hidden word is one that no fault may quote.
package fault

import (
	"fmt"
	"strings"
)

// Fault is one thing that is wrong in a configuration file.
type Fault struct {
	// File is the name the file was parsed under.
	File string
	// Line counts from 1: the line of the value at fault, or of what should have contained it.
	Line int
	// Path is the config path, as in mappings[0].destination.kms_key; empty for the file as a
	// whole.
	Path string
	// Problem says what is wrong, in lower case, without a full stop.
	Problem string
	// Hint says what to write instead; it may be empty.
	Hint string
}

// String writes the fault on one line: syncd.yaml:12: PATH: PROBLEM; HINT.
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

// Faults is everything that is wrong in a configuration file, in the order of its lines. An error
// of reading one is a *Faults.
type Faults []Fault //nolint:errname // a list, named for what it lists

// Error writes one line per fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
