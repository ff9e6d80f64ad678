package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	"syncd/internal/control"
	"syncd/internal/printable"
	"syncd/internal/terminal"
)

// shownPasses is the maximum number of passes that are printed as text. The JSON contains all
// passes of the history.
const shownPasses = 10

// addRecords adds the pause and the history, which are stored outside the ledger.
func (s *Status) addRecords(ctx context.Context, from store.Store, now func() time.Time) error {
	paused, isPaused, err := control.NewDesk(from, now).PausedOf(ctx, s.Mapping)
	if err != nil {
		return err
	}
	if isPaused {
		s.Paused = &paused
	}
	s.History, err = history.Read(ctx, from, s.Mapping)
	if damage, ok := errors.AsType[*store.CorruptError](err); ok {
		s.hidesPasses = true
		s.Damage, err = strings.TrimPrefix(s.Damage+"; "+damage.Error(), "; "), nil
	}
	slices.Reverse(s.History)
	return err
}

// printHistory prints the pause and the most recent passes, newest first.
func printHistory(w io.Writer, s Status) {
	if s.Paused != nil {
		printable.Fprintf(w, "  %-12s %s\n", "paused", strings.TrimLeft(strings.TrimPrefix(s.Paused.String(), "paused"), ", "))
	}
	if !s.listsPasses {
		return
	}
	switch {
	case s.Error != "":
		printable.Fprintf(w, "  %-12s %s\n", "history", "not read: "+s.Error)
	case s.hidesPasses:
		printable.Fprintf(w, "  %-12s %s\n", "history", "cannot be read; the next pass starts a new one")
	case len(s.History) == 0:
		printable.Fprintf(w, "  %-12s %s\n", "history", "no pass has ended yet")
	}
	for i, r := range s.History[:min(len(s.History), shownPasses)] {
		name := ""
		if i == 0 {
			name = "history"
		}
		printable.Fprintf(w, "  %-12s %s\n", name, passLine(r))
	}
}

// printHistories prints the history of each mapping if --history was given.
func printHistories(w io.Writer, all []Overview) {
	for _, o := range all {
		if o.listsPasses {
			printable.Fprintf(w, "\n%s\n", o.Name)
			printHistory(w, o.Status)
		}
	}
}

// passLine formats a pass as one line.
func passLine(r history.Pass) string {
	number := "no pass"
	if r.Pass > 0 {
		number = fmt.Sprintf("pass %d", r.Pass)
	}
	line := fmt.Sprintf("%s  %s %s", r.EndedAt.Format(time.RFC3339), number, r.Result)
	if r.Times > 1 {
		line += fmt.Sprintf(" (%d times since %s)", r.Times, r.BeganAt.Format(time.RFC3339))
	} else {
		line += " in " + r.EndedAt.Sub(r.BeganAt).Round(time.Second).String()
	}
	line += fmt.Sprintf(", %s: %s copied, %s", r.Trigger, humanize.Comma(r.Copied), terminal.Size(r.CopiedBytes))
	if r.Quarantined > 0 {
		line += fmt.Sprintf(", %s quarantined", humanize.Comma(r.Quarantined))
	}
	if r.By != "" {
		line += ", requested by " + r.By
	}
	if r.Error != "" {
		line += "; " + strings.TrimPrefix(r.Class+": ", ": ") + printable.Line(r.Error)
	}
	return line
}
