package printable

import (
	"io"
	"strings"
	"unicode"
)

// formula lists the characters with which a cell must not begin: those that begin a formula in a
// spreadsheet, and white space that a spreadsheet drops before a formula. The list includes
// full-width forms that some programs treat in the same way (OWASP, "CSV Injection").
const formula = "=+-@\t\r\n＝＋－＠"

// Cell returns s for a cell of a spreadsheet: escaped by Text, with an apostrophe in front if it
// could be taken for a formula. A formula after leading white space counts too, because some
// programs drop white space.
func Cell(s string) string {
	if strings.ContainsAny(firstOf(s), formula) || strings.ContainsAny(firstOf(strings.TrimLeftFunc(s, skipped)), formula) {
		return "'" + Text(s)
	}
	return Text(s)
}

// WriteRow writes cells as a line of CSV. Every cell is quoted. Otherwise a program whose list
// separator is not the comma would split a cell that contains its separator, and the second part
// would be a cell without an apostrophe.
func WriteRow(w io.Writer, cells []string) error {
	quoted := make([]string, len(cells))
	for i, cell := range cells {
		quoted[i] = `"` + strings.ReplaceAll(Cell(cell), `"`, `""`) + `"`
	}
	_, err := io.WriteString(w, strings.Join(quoted, ",")+"\n")
	return err
}

func firstOf(s string) string {
	for _, r := range s {
		return string(r)
	}
	return ""
}

// skipped reports whether a program may skip a character at the beginning of a cell.
func skipped(r rune) bool { return unicode.IsSpace(r) || !isSeen(r) || r == '"' || r == '\'' }
