package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// isTerminal reports whether w is a terminal, where a progress bar can be drawn.
func isTerminal(w io.Writer) bool {
	_, ok := terminalWidth(w)
	return ok
}

// terminalWidth returns how many columns a terminal has now; ok is false for what is no terminal. It is asked again for each drawing, as
// people resize their windows.
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

// pageWidth is how wide a table may be: as wide as the terminal, or as it has to be (0) for programs and files.
func pageWidth(w io.Writer) int {
	columns, _ := terminalWidth(w)
	return columns
}
