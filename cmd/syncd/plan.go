package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"syncd/internal/assembly"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/printable"
	"syncd/internal/report"
	"syncd/internal/syncer"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/preview"
	"syncd/internal/terminal"
	"syncd/internal/terminal/progress"
)

// planFlags are the flags of `syncd plan`.
type planFlags struct {
	invocation.Flags
	list     bool
	detailed bool
	several  bool // more than one mapping is planned
}

func planCommand(p invocation.Process) *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use:        "plan [--config FILE] [--mapping NAME]...",
		Short:      "Show what the next pass would do, what it would cost and how long it would take",
		SuggestFor: []string{"diff", "preview", "dry-run"},
		Long: `plan shows what the next pass of every mapping would do: objects and bytes by reason, requests by operation, the cost at list
prices and who pays it, and roughly how long it takes. It uses the same decision code as a pass but copies nothing. It lists the
source (and the destination, if the pass would list it), reads the ledger without taking the lease, and writes nothing. You can run it while
the daemon runs.

For several mappings it prints a table with a total, the worst state first: plans that failed, damaged ledgers, denied mappings,
mappings whose pass would be refused because kms_key has changed, mappings with objects in quarantine, mappings that have never committed a pass, then the mappings with the most to copy. To see one mapping in full, name it
with --mapping.` + exit.Help("plan", 0, 1, 2, 4, 130),
		Example: "  syncd plan --config syncd.yaml\n  syncd plan --config syncd.yaml --mapping alice-to-bob --list --json\n" +
			"  syncd plan --config syncd.yaml --detailed-exitcode",
		RunE: func(cmd *cobra.Command, _ []string) error { return previewAll(cmd.Context(), p, f) },
	}
	invocation.AddFlags(cmd, &f.Flags)
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print the plan as one JSON object on the last line")
	cmd.Flags().BoolVar(&f.list, "list", false, "print one line per action before the plan")
	cmd.Flags().BoolVar(&f.detailed, "detailed-exitcode", false, "exit with 4 if a pass would copy, adopt, delete or quarantine something")
	cmd.Flags().BoolVar(&f.TakeOver, "take-over", false, "plan a pass that is allowed to replace objects that syncd did not write")
	cmd.Flags().BoolVar(&f.Rekey, "rekey", false, "plan a pass that is allowed to copy everything again under another kms_key")
	return cmd
}

// previewAll plans every mapping, one after the other.
func previewAll(ctx context.Context, p invocation.Process, f planFlags) error {
	s, err := assembly.New(ctx, p, f.Flags)
	if err != nil {
		return err
	}
	f.several = len(s.Mappings) > 1
	var plans []preview.Pass
	var rows []report.Planned
	var failures []error
	for _, m := range s.Mappings {
		v, err := previewOne(ctx, p, m, f)
		plans, failures = append(plans, v), append(failures, err)
		if errors.Is(err, syncer.ErrDrained) {
			break
		}
		rows = append(rows, report.Planned{Pass: v, Err: err})
	}
	err = errors.Join(failures...)
	switch {
	case f.JSON:
		err = errors.Join(err, report.PlansJSON(p.Stdout, plans))
	case f.several:
		report.PlanTable(p.Stdout, rows, terminal.PageWidth(p.Stdout))
		if left := len(s.Mappings) - len(rows); left > 0 {
			printable.Fprintf(p.Stdout, "%s not planned\n", terminal.Counted(left, "mapping"))
		}
	}
	return errors.Join(err, f.verdict(plans))
}

// verdict returns an error if --detailed-exitcode is given and a pass would copy, adopt or
// quarantine something.
func (f planFlags) verdict(plans []preview.Pass) error {
	work := int64(0)
	for _, v := range plans {
		work += v.Work()
	}
	if !f.detailed || work == 0 {
		return nil
	}
	return exit.Work(work)
}

func previewOne(ctx context.Context, p invocation.Process, m *assembly.Mapping, f planFlags) (preview.Pass, error) {
	out := bufio.NewWriter(p.Stdout)
	shown := progress.ShowListing(p.Stderr, p.Now, m.Name)
	order := planner.InAnyOrder
	if f.list {
		order = planner.InKeyOrder
	}
	v, err := m.Syncer.Preview(ctx, order, func(fate preview.Fate) error {
		shown.Count()
		if !f.list {
			return nil
		}
		if f.several && !f.JSON {
			if _, err := printable.Fprintf(out, "%s  ", m.Name); err != nil {
				return err
			}
		}
		return report.PrintStep(out, report.StepOf(m.Name, fate), f.JSON)
	})
	shown.Clear()
	err = errors.Join(err, out.Flush())
	switch {
	case errors.Is(err, syncer.ErrDrained):
		return v, exit.WithHint(fmt.Errorf("mapping %s: plan: %w", m.Name, err), "nothing was written; run it again")
	case err != nil:
		return v, fmt.Errorf("mapping %s: plan: %w", m.Name, err)
	}
	if !f.JSON && !f.several {
		report.Plan(p.Stdout, v)
	}
	return v, nil
}
