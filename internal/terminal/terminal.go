// Package terminal is how results look to people: how wide a page is, tables that fit into it, and
// numbers as words.
//
// It promises that a Table is never wider than the page that it is printed on: columns that can be
// spared are left out, and names are cut in their middle. Words such as Objects, Size and Ago are
// the same wherever a command prints them.
//
// It leaves to its callers what is printed. The progress of a pass is in package progress.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether w is a terminal, where a progress bar can be drawn.
func IsTerminal(w io.Writer) bool {
	_, ok := terminalWidth(w)
	return ok
}

// terminalWidth returns how many columns a terminal has now; ok is false for what is no terminal.
// It is asked again for each drawing, as people resize their windows.
func terminalWidth(w io.Writer) (columns int, ok bool) {
	file, isFile := w.(*os.File)
	if !isFile || !term.IsTerminal(int(file.Fd())) { //nolint:gosec // a descriptor fits an int
		return 0, false
	}
	const usual = 80
	columns, _, err := term.GetSize(int(file.Fd())) //nolint:gosec // as above
	if err != nil || columns <= 0 {
		return usual, true
	}
	return columns, true
}

// PageWidth is how wide a table may be: as wide as the terminal, or as it has to be (0) for
// programs and files.
func PageWidth(w io.Writer) int {
	columns, _ := terminalWidth(w)
	return columns
}
