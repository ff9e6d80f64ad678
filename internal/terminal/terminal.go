// Package terminal formats output for users: the width of the page, tables that fit into it, and
// numbers as words.
//
// It promises that a Table is never wider than the page: optional columns are left out, and names
// are cut in the middle. Words such as Objects, Size and Ago are the same wherever a command prints
// them.
//
// The callers decide what to print. Package progress shows the progress of a pass.
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

// terminalWidth returns the current number of columns of a terminal; ok is false if w is not a
// terminal. Callers call it for every drawing, because users resize windows.
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

// PageWidth returns the maximum width of a table: the width of the terminal, or 0 (unlimited) if w
// is not a terminal.
func PageWidth(w io.Writer) int {
	columns, _ := terminalWidth(w)
	return columns
}
