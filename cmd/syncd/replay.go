package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"syncd/internal/checkpoint"
	"syncd/internal/syncer"
)

func replayCommand(p process) *cobra.Command {
	var f flags
	var reasons, keys []string
	cmd := &cobra.Command{
		Use:   "replay --config FILE [--mapping NAME]... [--reason REASON]... [--key KEY]...",
		Short: "Try objects in quarantine again now",
		Long: `replay tries objects in quarantine again, all of them or those with a given reason or key, whether a pass would try them
yet or not. It lists nothing and touches nothing else, and prints a summary as backfill does. Run it when what kept the
objects there has been mended: a policy, a key, an archived object that has been restored.

While a daemon holds the lease it is asked to replay, and replay waits for its answer. A pass that
was interrupted has to be finished first, by backfill or run; a daemon that is asked finishes it.

` + exitCodes,
		Example: "  syncd replay --config syncd.yaml\n  syncd replay --config syncd.yaml --mapping alice-to-bob --reason denied",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return traverse(cmd.Context(), p, f, func(s *syncer.Syncer, ctx context.Context) (syncer.Summary, error) {
				summary, err := s.Replay(ctx, func(q checkpoint.Quarantined) bool { return chosen(reasons, q.Reason) && chosen(keys, q.Key) })
				if isLeaseHeld(err) {
					return handOver(ctx, p, f, summary.Mapping, err, reasons, keys)
				}
				return summary, err
			})
		},
	}
	addFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.json, "json", false, "print the summary as one JSON object on the last line")
	cmd.Flags().StringArrayVar(&reasons, "reason", nil, "only objects set aside for `REASON`; may be repeated (default all)")
	cmd.Flags().StringArrayVar(&keys, "key", nil, "only the object of `KEY` at the source; may be repeated (default all)")
	return cmd
}

// chosen reports whether a value is among those asked for, of which none means all.
func chosen(asked []string, value string) bool {
	return len(asked) == 0 || slices.Contains(asked, value)
}
