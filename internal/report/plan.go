package report

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"syncd/internal/printable"
	"syncd/internal/syncer/preview"
	"syncd/internal/terminal"
)

// Plan prints what a pass would do.
func Plan(w io.Writer, v preview.Pass) {
	line := func(name, text string) { printable.Fprintf(w, "  %-12s %s\n", name, text) }
	printable.Fprintf(w, "pass %d of %s would list %s\n", v.Pass, v.Mapping, terminal.Objects(v.Listed))
	if v.Resumed {
		line("resumes", resumes(v))
	}
	if v.Damage != "" {
		line("damage", v.Damage)
	}
	if v.Rekey != "" {
		line("refused", v.Rekey+"; --rekey allows it")
	}
	line("copy", terminal.Held(int(v.Copy.Objects), v.Copy.Bytes)+reasons(v.CopyByReason))
	line("unchanged", terminal.Objects(v.Unchanged))
	printRest(line, v)
	line("requests", terminal.ByReason(v.Requests))
	if len(v.KMSRequests) > 0 {
		line("to KMS", "about "+terminal.ByReason(rounded(v.KMSRequests)))
	}
	printPrice(line, v)
}

// resumes returns from where an unfinished pass is resumed.
func resumes(v preview.Pass) string {
	if v.ResumesAfter == "" {
		return "an unfinished pass, which has settled ranges of later keys"
	}
	return "an unfinished pass, after " + strconv.Quote(v.ResumesAfter)
}

// printRest prints the lines that only some plans need: adopt, archived, delete, withheld, kept, skipped, held and
// quarantined.
func printRest(line func(name, text string), v preview.Pass) {
	if v.Adopt.Objects > 0 {
		text := terminal.Held(int(v.Adopt.Objects), v.Adopt.Bytes) + " that seem to exist at the destination already"
		if n := v.Doubtful.Objects; n > 0 {
			text += "; " + terminal.Objects(n) + " of them are quarantined as foreign if they turn out not to be copies"
		}
		if v.UnlessAdopted > 0 {
			text += "; copying the others, if they are not copies, costs " + money(v.UnlessAdopted) + " more"
		}
		line("adopt", text)
	}
	if v.Archived.Objects > 0 {
		line("archived", terminal.Held(int(v.Archived.Objects), v.Archived.Bytes)+" to copy; these copies fail unless the owner has restored the objects")
	}
	if v.Delete > 0 {
		line("delete", terminal.Objects(v.Delete)+" whose source is gone")
	}
	if v.Withheld > 0 {
		line("withheld", terminal.Objects(v.Withheld)+" to delete, but "+v.WithheldWhy+"; syncd backfill --allow-deletes "+strconv.FormatInt(v.Withheld, 10)+" confirms them")
	}
	if v.Kept > 0 {
		line("kept", terminal.Objects(v.Kept)+" whose source is gone")
	}
	for _, of := range []struct {
		name   string
		counts map[string]int64
	}{{"skipped", v.Skipped}, {"held", v.Held}, {"quarantined", v.Refused}} {
		if len(of.counts) > 0 {
			line(of.name, terminal.ByReason(of.counts))
		}
	}
}

func printPrice(line func(name, text string), v preview.Pass) {
	d := v.Dollars
	line("dollars", fmt.Sprintf("%s: requests %s, KMS %s, transfer %s, retrieval %s",
		money(d.Total), money(d.Requests), money(d.KMS), money(d.Transfer), money(d.Retrieval)))
	line("paid by", fmt.Sprintf("the source's owner %s, the consumer %s", money(d.Owner), money(d.Consumer)))
	line("time", fmt.Sprintf("about %s, limited by %s", rough(v.Time.Seconds), v.Time.Bound))
	line("prices", fmt.Sprintf("list prices of %s, read %s; other regions differ", v.Prices.Region, v.Prices.Read))
	line("not counted", strings.Join(v.NotCounted, "; "))
}

// reasons formats tallies by reason, sorted by reason, or returns "" if there are none.
func reasons(tallies map[string]preview.Tally) string {
	var parts []string
	for _, reason := range slices.Sorted(maps.Keys(tallies)) {
		parts = append(parts, fmt.Sprintf("%s %s (%s)", reason, humanize.Comma(tallies[reason].Objects), terminal.Size(tallies[reason].Bytes)))
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

func rounded(counts map[string]float64) map[string]int64 {
	whole := map[string]int64{}
	for name, n := range counts {
		whole[name] = int64(math.Ceil(n))
	}
	return whole
}

// money formats an amount in dollars, with more digits for amounts below one dollar.
func money(dollars float64) string {
	switch {
	case dollars == 0:
		return "$0"
	case dollars < 0.000_001:
		return "under $0.000001"
	case dollars < 1:
		return "$" + strconv.FormatFloat(dollars, 'f', 6, 64)
	default:
		return "$" + humanize.FormatFloat("#,###.##", dollars)
	}
}

// rough formats an estimated time.
func rough(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	default:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	}
}
