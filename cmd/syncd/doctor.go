package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/doctor"
	"syncd/internal/assembly"
	"syncd/internal/creds"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/report"
	"syncd/internal/terminal"
)

// unhealthyError reports how many checks failed. The findings are printed before it.
type unhealthyError struct{ failed int }

func (e *unhealthyError) Error() string { return terminal.Counted(e.failed, "check") + " failed" }

func doctorCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
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
pass would write, by listing up to 20,000 objects of either side: what is no copy would be set aside as foreign.` + exit.Help("doctor", 0, 1, 2, 130),
		Example: "  syncd doctor --config syncd.yaml\n  syncd doctor --config syncd.yaml --mapping alice-to-bob --json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return diagnose(cmd.Context(), p, f, offline) },
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&offline, "offline", false, "send no request; list what would be tried")
	return cmd
}

func diagnose(ctx context.Context, p invocation.Process, f invocation.Flags, offline bool) error {
	c, _, logger, err := invocation.Load(p, f, invocation.Gate()...)
	if err != nil {
		return err
	}
	var d report.Diagnosed
	if offline {
		invocation.LogWarnings(logger, c) // otherwise assembly.New logs them
		d.Diagnosis, err = doctor.Foresee(c, f.Mappings)
	} else {
		d.Diagnosis, err = doctor.Diagnose(ctx, doctor.Options{Config: c, Mappings: f.Mappings, Sessions: doctorSessions(p, c, logger)})
	}
	if !offline && err == nil {
		d.Occupied = countOccupied(ctx, p, f, d.Diagnosis)
	}
	if err := errors.Join(err, ctx.Err()); err != nil { // after an interruption the results are incomplete
		return err
	}
	if err := report.Diagnosis(p.Stdout, d, f.JSON); err != nil {
		return err
	}
	return unhealthy(d.Diagnosis)
}

// doctorSessions returns a function that makes the credentials that a pass of the mapping would
// use.
func doctorSessions(p invocation.Process, c *config.Config, logger *slog.Logger) func(context.Context, config.Mapping, map[string]config.Role) (*creds.Set, error) {
	return func(ctx context.Context, m config.Mapping, roles map[string]config.Role) (*creds.Set, error) {
		o := assembly.CredentialsOf(p, c, roles, logger)
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
