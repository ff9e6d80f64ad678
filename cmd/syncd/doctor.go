package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/doctor"
	"syncd/internal/creds"
	"syncd/internal/printable"
)

// unhealthyError says how much the doctor found. What it found is printed before.
type unhealthyError struct{ failed int }

func (e *unhealthyError) Error() string { return counted(e.failed, "check") + " failed" }

func newDoctor(p process) *cobra.Command {
	var f flags
	var offline bool
	cmd := &cobra.Command{
		Use:        "doctor [--config FILE] [--mapping NAME]... [--offline]",
		Short:      "Try every permission, and name the document that is to blame",
		SuggestFor: []string{"diagnose", "test"},
		Long: `doctor assumes every role and tries every permission that the mappings need, with real requests, in the order in which they
depend on each other. Of what is refused it names the documents that may be the cause, most likely first, whose account has to
change them, and the statement to add. Between accounts without a common organization AWS gives no reasons: where two causes look
the same from outside, both are told.

It changes nothing that anybody could see, and costs some fifty requests a mapping. Of the source it reads the first byte of a few
objects. It writes no object: what writes is tried in uploads that are aborted, or under a condition that cannot hold, which S3
looks at once the request is allowed. It takes no lease and touches no ledger. With --offline it sends nothing: it checks the
configuration and lists what would be tried.

Of a mapping that had no pass yet and passes every check it also counts what its destination holds under the keys that the first
pass would write, by listing up to 20,000 objects of either side: what is no copy would be set aside as foreign.` + exits("doctor", 0, 1, 2, 130),
		Example: "  syncd doctor --config syncd.yaml\n  syncd doctor --config syncd.yaml --mapping alice-to-bob --json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return diagnose(cmd.Context(), p, f, offline) },
	}
	addFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.json, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&offline, "offline", false, "send no request; list what would be tried")
	return cmd
}

// diagnosis is all that the doctor found.
type diagnosis struct {
	doctor.Diagnosis
	Occupied []occupied `json:"occupied,omitempty"`
}

func diagnose(ctx context.Context, p process, f flags, offline bool) error {
	c, _, logger, err := load(p, f, gate()...)
	if err != nil {
		return err
	}
	var d diagnosis
	if offline {
		logWarnings(logger, c) // otherwise the system does
		d.Diagnosis, err = doctor.Foresee(c, f.mappings)
	} else {
		d.Diagnosis, err = doctor.Diagnose(ctx, doctor.Options{Config: c, Mappings: f.mappings, Sessions: doctorSessions(p, c, logger)})
	}
	if !offline && err == nil {
		d.Occupied = countOccupied(ctx, p, f, d.Diagnosis)
	}
	if err := errors.Join(err, ctx.Err()); err != nil { // what was refused after an interruption is no finding
		return err
	}
	if err := printDiagnosis(p.stdout, d, f.json); err != nil {
		return err
	}
	return unhealthy(d.Diagnosis)
}

// doctorSessions makes the credentials that a pass of the mapping would have.
func doctorSessions(p process, c *config.Config, logger *slog.Logger) func(context.Context, config.Mapping, map[string]config.Role) (*creds.Set, error) {
	return func(ctx context.Context, m config.Mapping, roles map[string]config.Role) (*creds.Set, error) {
		o := p.credentials(c, roles, logger)
		o.SessionPolicy = func(role string) (string, error) { return access.SessionPolicyText(c, m, role) }
		return creds.New(ctx, o)
	}
}

func unhealthy(d doctor.Diagnosis) error {
	failed := 0
	for _, probe := range d.Probes {
		if probe.Bad() {
			failed++
		}
	}
	if failed == 0 {
		return nil
	}
	return &unhealthyError{failed}
}

func printDiagnosis(w io.Writer, d diagnosis, asJSON bool) error {
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
		if n := alike(d.Probes[i:]); n > 1 {
			printable.Fprintf(w, "  %-8s %s: %s\n", probe.Outcome, counted(n, "check"), probe.Error)
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

// alike is how many checks at the beginning were skipped for the same reason.
func alike(probes []doctor.Probe) int {
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

// printProbe tells of a check in a line, and of one that failed what AWS said and what to do.
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

// indent is what explanations stand under.
const indent = "           "

// printCauses numbers what may be the cause. What is rare and no statement of ours mends shares a line.
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
		printable.Fprintf(w, "%srarer: %s\n", indent, strings.Join(rare, "; "))
	}
}

// describeCause names the document, the side whose account has to act, and how sure it is.
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
