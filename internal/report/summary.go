package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/dustin/go-humanize"

	"syncd/internal/printable"
	"syncd/internal/syncer"
	"syncd/internal/terminal"
)

// Summary prints the result of a pass.
func Summary(w io.Writer, s syncer.Summary) {
	state := "pass %d of %s"
	if s.Resumed {
		state += " (resumed)"
	}
	if s.Error != "" {
		state += " stopped early"
	}
	printable.Fprintf(w, state+": %s listed in %s\n", s.Pass, s.Mapping, terminal.Objects(s.Listed), terminal.Seconds(s.Seconds))
	line := func(name, text string) { printable.Fprintf(w, "  %-12s %s\n", name, text) }
	line("copied", fmt.Sprintf("%s, %s", terminal.Objects(s.Copied), terminal.Size(s.CopiedBytes)))
	line("unchanged", terminal.Objects(s.Unchanged))
	if s.Adopted > 0 {
		line("adopted", terminal.Objects(s.Adopted)+" found at the destination")
	}
	if s.Deleted > 0 {
		line("deleted", terminal.Objects(s.Deleted)+" whose source is gone")
	}
	if len(s.Undeleted) > 0 {
		line("not deleted", terminal.ByReason(s.Undeleted))
	}
	if s.Withheld > 0 {
		line("withheld", terminal.Objects(s.Withheld)+" whose source is gone: a limit forbids these deletes; --allow-deletes "+strconv.FormatInt(s.Withheld, 10)+" confirms them")
	}
	if s.Kept > 0 {
		line("kept", terminal.Objects(s.Kept)+" whose source is gone")
	}
	if len(s.Skipped) > 0 {
		line("skipped", terminal.ByReason(s.Skipped))
	}
	if len(s.Quarantined) > 0 {
		line("quarantined", terminal.ByReason(s.Quarantined))
	}
	line("requests", terminal.ByReason(s.Requests))
	if s.Throttled > 0 {
		line("throttled", humanize.Comma(s.Throttled)+" requests")
	}
}

// Passes is the JSON form of several summaries.
type Passes struct {
	Passes []syncer.Summary `json:"passes"`
}

// SummaryJSON prints one JSON object on one line: a single summary by itself, several as Passes.
func SummaryJSON(w io.Writer, summaries []syncer.Summary) error {
	var document any = Passes{summaries}
	if len(summaries) == 1 {
		document = summaries[0]
	}
	return json.NewEncoder(printable.JSON(w)).Encode(document)
}
