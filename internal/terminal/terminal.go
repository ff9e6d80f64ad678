// Package terminal formats output for users: the width of the page, tables that fit into it, and
// numbers as words.
//
// A Table is never wider than the page: optional columns are left out, and names are cut in the
// middle. All commands format numbers with Objects, Size, Ago and the like, so that their output is
// uniform.
//
// The callers decide what to print. Package progress shows the progress of a pass.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether w is a terminal. A progress bar can be drawn only on a terminal.
func IsTerminal(w io.Writer) bool {
	_, ok := terminalWidth(w)
	return ok
}

// terminalWidth returns the current number of columns of the terminal w. ok is false if w is not a
// terminal. Callers call it before every drawing, because users resize windows.
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
