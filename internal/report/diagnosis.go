package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"syncd/internal/access/doctor"
	"syncd/internal/printable"
	"syncd/internal/terminal"
)

// Diagnosed is the result of `syncd doctor`.
type Diagnosed struct {
	doctor.Diagnosis
	Occupied []Occupied `json:"occupied,omitempty"`
}

// Diagnosis prints the result of `syncd doctor`.
func Diagnosis(w io.Writer, d Diagnosed, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(printable.JSON(w))
		e.SetEscapeHTML(false)
		return e.Encode(d)
	}
	mapping := ""
	for i := 0; i < len(d.Probes); {
		probe := d.Probes[i]
		if probe.Mapping != mapping {
			mapping = probe.Mapping
			printable.Fprintln(w, mapping)
		}
		if n := countAlike(d.Probes[i:]); n > 1 {
			printable.Fprintf(w, "  %-8s %s: %s\n", probe.Outcome, terminal.Counted(n, "check"), probe.Error)
			i += n
			continue
		}
		printProbe(w, probe)
		i++
	}
	for _, left := range d.Leftovers {
		printable.Fprintf(w, "left behind: %s\n", left)
	}
	for _, o := range d.Occupied {
		printOccupied(w, o)
	}
	return nil
}

// countAlike returns how many checks at the beginning of probes were skipped for the same reason.
func countAlike(probes []doctor.Probe) int {
	first := probes[0]
	if first.Outcome != doctor.OutcomeSkipped || first.Error == "" {
		return 1
	}
	other := func(p doctor.Probe) bool {
		return p.Mapping != first.Mapping || p.Outcome != first.Outcome || p.Error != first.Error
	}
	if n := slices.IndexFunc(probes, other); n >= 0 {
		return n
	}
	return len(probes)
}

// printProbe prints a check on one line. For a failed check it adds the AWS error and the likely
// causes.
func printProbe(w io.Writer, p doctor.Probe) {
	word := string(p.Outcome)
	if p.Bad() {
		word = "FAILED"
	}
	line := fmt.Sprintf("  %-8s %-16s %s", word, p.Feature, p.Action)
	if p.Resource != "" {
		line += " on " + p.Resource
	}
	if p.Objects != "" {
		line += ", objects " + p.Objects
	}
	if text := cmp.Or(p.Error, p.Why); p.Outcome != doctor.OutcomeOK && text != "" {
		line += ": " + text
	}
	printable.Fprintln(w, line)
	if p.Outcome == doctor.OutcomeWarning {
		printCauses(w, p.Causes)
	}
	if !p.Bad() {
		return
	}
	if p.Principal != "" {
		printable.Fprintf(w, "%sfor %s, by %s\n", indent, p.Principal, p.Request)
	}
	if p.Why != "" {
		printable.Fprintf(w, "%sneeded for %s\n", indent, p.Why)
	}
	printCauses(w, p.Causes)
}

// indent begins the lines that explain a check.
const indent = "           "

// printCauses prints the causes as a numbered list. A cause that is only possible, and for which
// there is no policy statement to add, has no line of its own: all such causes share the last line.
func printCauses(w io.Writer, causes []doctor.Cause) {
	var rare []string
	for i, c := range causes {
		if c.Confidence == doctor.Possible && len(c.Statement) == 0 {
			rare = append(rare, c.Why)
			continue
		}
		printable.Fprintf(w, "%s%d. %s: %s\n", indent, i+1, describeCause(c), c.Why)
		if len(c.Statement) > 0 {
			printable.Fprintf(w, "%s   add %s\n", indent, c.Statement)
		}
	}
	if len(rare) > 0 {
		printable.Fprintf(w, "%sless likely: %s\n", indent, strings.Join(rare, "; "))
	}
}

// describeCause returns the kind of document, its target, the account and side that must change the
// document, and the confidence.
func describeCause(c doctor.Cause) string {
	text := c.Kind.String()
	if c.Target != "" {
		text += " of " + c.Target
	}
	if c.Kind == doctor.CauseConfiguration {
		text = "configuration, " + c.Target
	}
	if c.Account != "" {
		text += fmt.Sprintf(", account %s (%s)", c.Account, c.Side)
	}
	return text + ", " + string(c.Confidence)
}

// Occupied counts the objects that already exist at a destination under keys that the first pass of
// the mapping would write. Its JSON form is a contract: see docs/cli.md.
type Occupied struct {
	Mapping string `json:"mapping"`
	// Compared is the number of source objects that were compared with the destination. Complete is
	// true if these are all objects of the source.
	Compared int64 `json:"compared"`
	Complete bool  `json:"complete"`
	// Foreign is how many of the compared keys have an object at the destination that cannot be a
	// copy. Doubtful is how many have an object there that may be a copy.
	Foreign  int64 `json:"foreign"`
	Doubtful int64 `json:"doubtful"`
	// Error is why the objects could not be counted, or "".
	Error string `json:"error,omitempty"`
}

func printOccupied(w io.Writer, o Occupied) {
	if o.Error != "" {
		printable.Fprintf(w, "%s\n  note     could not count the objects that the destination already has: %s\n", o.Mapping, o.Error)
		return
	}
	part := ""
	if !o.Complete {
		part = fmt.Sprintf(" (compared with only the first %d source objects)", o.Compared)
	}
	printable.Fprintf(w, "%s\n  note     the destination already has %s under keys that the first pass will write%s: %d cannot be copies, %d may be copies; "+
		"the first pass quarantines objects that are not copies as foreign\n", o.Mapping, terminal.Objects(o.Foreign+o.Doubtful), part, o.Foreign, o.Doubtful)
	printable.Fprintf(w, "%sto replace such objects, set copy.overwrite: any, or run syncd backfill --take-over once; to list them, run syncd plan --list\n", indent)
}
