package main

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/assembly"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/status"
	"syncd/internal/terminal"

	"github.com/spf13/cobra"
)

func statusCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var list bool
	cmd := &cobra.Command{
		Use:        "status [--config FILE] [--mapping NAME]...",
		Short:      "Show the last generation, the pass in progress and what is quarantined",
		SuggestFor: []string{"list", "show", "ls"},
		Long: `status reads the ledgers from the state: the folder or bucket that the configuration sets. It shows the last generation and its age, the pass in
progress, the objects in quarantine by reason, and who holds the lease. It needs no daemon, takes no lease, and sends no request to
the source or the destination.

For several mappings it prints a table, the worst state first: ledgers that cannot be read, damaged ledgers, denied mappings,
mappings whose passes fail, mappings with objects in quarantine, stale mappings, mappings that have never committed a pass, paused
mappings, then all others.

With --quarantine it lists the objects in quarantine, each with its reason, the error, and when a pass tries it again.` + exit.Help("status", 0, 1, 2, 130),
		Example: "  syncd status --config syncd.yaml\n  syncd status --config syncd.yaml --quarantine",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if list {
				return listQuarantine(cmd.Context(), p, f)
			}
			return showStatus(cmd.Context(), p, f)
		},
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print one JSON object per line: one per mapping, or with --quarantine one per object")
	cmd.Flags().BoolVar(&f.History, "history", false, "list the most recent passes of each mapping")
	cmd.Flags().BoolVar(&list, "quarantine", false, "list the objects in quarantine")
	return cmd
}

func showStatus(ctx context.Context, p invocation.Process, f invocation.Flags) error {
	state, err := assembly.OpenState(ctx, p, f, nil)
	if err != nil {
		return err
	}
	all, failures, err := status.ReadAll(ctx, state.Store, state.Mappings, f.History, p.Now)
	if err != nil {
		return err
	}
	failures = append(failures, status.Print(p.Stdout, all, f.JSON, p.Now))
	if left := len(state.Mappings) - len(all); left > 0 {
		failures = append(failures, fmt.Errorf("%s not read, because the state could not be read", terminal.Counted(left, "mapping")))
	}
	return errors.Join(failures...)
}

// listQuarantine prints every object in quarantine.
func listQuarantine(ctx context.Context, p invocation.Process, f invocation.Flags) error {
	state, err := assembly.OpenState(ctx, p, f, nil)
	if err != nil {
		return err
	}
	var failures []error
	for _, m := range state.Mappings {
		err := status.ListQuarantine(ctx, p.Stdout, state.Store, m.Name, f.JSON)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // the other mappings are still listed
			failures = append(failures, fmt.Errorf("mapping %s: %w", m.Name, err))
		}
	}
	return errors.Join(failures...)
}
