package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/dustin/go-humanize"

	"syncd/internal/printable"
	"syncd/internal/syncer"
)

// printSummary tells people what became of a pass.
func printSummary(w io.Writer, s syncer.Summary) {
	state := "pass %d of %s"
	if s.Resumed {
		state += " (resumed)"
	}
	if s.Error != "" {
		state += " did not reach its end"
	}
	printable.Fprintf(w, state+": %s listed in %s\n", s.Pass, s.Mapping, objects(s.Listed), seconds(s.Seconds))
	line := func(name, text string) { printable.Fprintf(w, "  %-12s %s\n", name, text) }
	line("copied", fmt.Sprintf("%s, %s", objects(s.Copied), size(s.CopiedBytes)))
	line("unchanged", objects(s.Unchanged))
	if s.Adopted > 0 {
		line("adopted", objects(s.Adopted)+" found at the destination")
	}
	if s.Kept > 0 {
		line("kept", objects(s.Kept)+" whose source is gone")
	}
	if len(s.Skipped) > 0 {
		line("skipped", byReason(s.Skipped))
	}
	if len(s.Quarantined) > 0 {
		line("quarantined", byReason(s.Quarantined))
	}
	line("requests", byReason(s.Requests))
	if s.Throttled > 0 {
		line("throttled", humanize.Comma(s.Throttled)+" requests")
	}
}

// passes is the JSON form of several summaries.
type passes struct {
	Passes []syncer.Summary `json:"passes"`
}

// printJSON prints one JSON object on one line: the summary where there is one, all of them otherwise.
func printJSON(w io.Writer, summaries []syncer.Summary) error {
	var document any = passes{summaries}
	if len(summaries) == 1 {
		document = summaries[0]
	}
	return json.NewEncoder(printable.JSON(w)).Encode(document)
}
