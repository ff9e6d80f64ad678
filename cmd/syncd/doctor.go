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

// unhealthyError reports how many checks failed. The doctor prints its findings before this error.
type unhealthyError struct{ failed int }

func (e *unhealthyError) Error() string { return terminal.Counted(e.failed, "check") + " failed" }

func doctorCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var offline bool
	cmd := &cobra.Command{
		Use:        "doctor [--config FILE] [--mapping NAME]... [--offline]",
		Short:      "Test every permission, and show which policy to fix",
		SuggestFor: []string{"diagnose", "test"},
		Long: `doctor assumes every role and tests every permission that the mappings need, with real requests. It tests permissions in the order
in which they depend on each other. For each refused request it lists the policies that may be the cause, the most likely first,
with the account that must change them and the statement to add. If the two accounts are not in the same AWS organization, AWS does not say why
it refuses a request; if two causes look the same, doctor lists both.

It makes no lasting change and sends about fifty requests per mapping. It reads the first byte of a few objects at the source. It
writes no object: it tests writes with uploads that it aborts, or with a condition that is never true and that S3 evaluates only after
authorizing the request. It takes no lease and does not touch the ledger. With --offline it sends nothing: it checks the
configuration and lists what it would test.

If all checks of a mapping succeed and no pass of it has ever run, doctor also checks whether its destination is empty. It lists up to
20,000 objects on each side and counts the destination objects whose keys the first pass would write. The pass would quarantine each of them that is not a copy, with the reason foreign.` + exit.Help("doctor", 0, 1, 2, 130),
		Example: "  syncd doctor --config syncd.yaml\n  syncd doctor --config syncd.yaml --mapping alice-to-bob --json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return diagnose(cmd.Context(), p, f, offline) },
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print one JSON object")
	cmd.Flags().BoolVar(&offline, "offline", false, "send no requests; list what would be tested")
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
