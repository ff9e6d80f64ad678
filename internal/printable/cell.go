package printable

import (
	"strings"
	"unicode"
)

// formula are the characters with which a spreadsheet takes a cell for a formula, or drops what
// stands before one; and the wide forms that some read as the same (OWASP, "CSV Injection").
const formula = "=+-@\t\r\n＝＋－＠"

// Cell returns s for a cell of a spreadsheet: through Text, and after an apostrophe where it would
// be taken for a formula. Space before it does not count: not every program keeps it.
func Cell(s string) string {
	if strings.ContainsAny(firstOf(s), formula) || strings.ContainsAny(firstOf(strings.TrimLeftFunc(s, skipped)), formula) {
		return "'" + Text(s)
	}
	return Text(s)
}

// Row writes cells as a line of CSV. Every cell is in quotes, so that none ends where another list
// separator than the comma is in force and the text holds that one: the rest would be a cell of its
// own, without an apostrophe.
func Row(cells []string) string {
	quoted := make([]string, len(cells))
	for i, cell := range cells {
		quoted[i] = `"` + strings.ReplaceAll(Cell(cell), `"`, `""`) + `"`
	}
	return strings.Join(quoted, ",") + "\n"
}

func firstOf(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// skipped reports whether a character is one that a program may pass over at the beginning of a
// cell.
func skipped(r rune) bool { return unicode.IsSpace(r) || !isSeen(r) || r == '"' || r == '\'' }
