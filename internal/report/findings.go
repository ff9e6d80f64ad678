package report

import (
	"fmt"
	"io"

	"syncd/internal/access/lint"
	"syncd/internal/printable"
	"syncd/internal/terminal"
)

// Findings prints each finding with its place and a hint.
func Findings(w io.Writer, r lint.Report) {
	for _, f := range r.Findings {
		place := ""
		if f.File != "" {
			place = fmt.Sprintf("%s:%d:%d: ", f.File, f.Line, f.Column)
		}
		printable.Fprintf(w, "%s%s: %s [%s %s]\n  hint: %s\n", place, f.Severity, f.Message, f.ID, f.Name, f.Fix)
	}
	if len(r.Findings) == 0 {
		printable.Fprintf(w, "nothing to change in %s\n", terminal.Counted(len(r.Documents), "document"))
	}
}
