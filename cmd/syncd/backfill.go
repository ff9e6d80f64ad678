package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/internal/assembly"
	"syncd/internal/caller"
	"syncd/internal/daemon/web"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/report"
	"syncd/internal/syncer"
)

func backfillCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	cmd := &cobra.Command{
		Use:        "backfill [--config FILE] [--mapping NAME]...",
		Short:      "Run one pass of every mapping now",
		SuggestFor: []string{"sync", "copy", "once"},
		Long: `backfill runs one pass of every mapping, one mapping after the other, and prints a summary of each. It resumes a pass that was
interrupted. On a terminal it shows a progress bar; otherwise it prints a line every 10 seconds. It serves
/metrics and /healthz if http.listen is set, and also /debug/pprof/ if http.pprof is set. If only http.pprof is set, it serves all of them on ` + config.DefaultListen + `.

On Ctrl-C or SIGTERM it drains: it finishes the copies in progress for up to drain_timeout, saves the ledger and exits with 130. A
second signal kills it at once; the next pass resumes from what was saved.` + exit.Help("backfill", 0, 1, 2, 3, 5, 130),
		Example: "  syncd backfill --config syncd.yaml\n  syncd backfill --config syncd.yaml --mapping alice-to-bob --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.AllowDeletes < 0 {
				return exit.Usage(fmt.Errorf("backfill: --allow-deletes %d is negative", f.AllowDeletes))
			}
			return traverse(cmd.Context(), p, f, runPass(f.AllowDeletes))
		},
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print the summary as one JSON object on the last line")
	cmd.Flags().BoolVar(&f.TakeOver, "take-over", false, "let this pass replace objects at the destination that syncd did not write, for example after the ledger was lost")
	cmd.Flags().BoolVar(&f.Rekey, "rekey", false, "if kms_key has changed, copy everything again under the new key; without this flag the pass reports the cost and stops")
	cmd.Flags().Int64Var(&f.AllowDeletes, "allow-deletes", 0, allowDeletesUsage)
	return cmd
}

// allowDeletesUsage describes the flag --allow-deletes.
const allowDeletesUsage = "let this pass delete up to `N` copies of each mapping, even if delete.max_objects, delete.max_percent or an empty source forbids it"

// traversal is a func that does a command's work for one mapping.
type traversal func(ctx context.Context, s *assembly.System, m *assembly.Mapping) (syncer.Summary, error)

// runPass returns a traversal that runs one pass. The parameter allowDeletes is how many deletes the
// operator has confirmed.
func runPass(allowDeletes int64) traversal {
	return func(ctx context.Context, _ *assembly.System, m *assembly.Mapping) (syncer.Summary, error) {
		return m.Syncer.Do(ctx, syncer.Order{AllowDeletes: allowDeletes})
	}
}

// traverse calls do for every mapping, one after the other, and prints the summaries.
func traverse(ctx context.Context, p invocation.Process, f invocation.Flags, do traversal) (err error) {
	s, err := assembly.New(ctx, p, f)
	if err != nil {
		return err
	}
	closeServer := serve(ctx, s)
	defer func() { err = errors.Join(err, closeServer()) }()
	var summaries []syncer.Summary
	var failures []error
	for _, m := range s.Mappings {
		caller.WarnPaused(ctx, s, m.Name)
		summary, err := report.Pass(ctx, p, m.Syncer, m.Name, f.JSON, func(ctx context.Context) (syncer.Summary, error) { return do(ctx, s, m) })
		summaries, failures = append(summaries, summary), append(failures, err)
		if errors.Is(err, syncer.ErrDrained) || ctx.Err() != nil {
			break
		}
	}
	err = errors.Join(failures...)
	if f.JSON {
		err = errors.Join(err, report.SummaryJSON(p.Stdout, summaries))
	}
	return err
}

// serve starts an HTTP server while a backfill runs, if http.listen or http.pprof is set. It
// listens on the same address as run. If the address is taken, for example by a daemon with the
// same configuration, the backfill runs without a server.
func serve(ctx context.Context, s *assembly.System) (closeServer func() error) {
	of, nothing := s.Config.HTTP, func() error { return nil }
	if of.Listen == "" && !of.Pprof {
		return nothing
	}
	listener, err := assembly.Listen(ctx, assembly.ListenAddress(of.Listen))
	if err != nil {
		s.Logger.Warn("metrics were not served", "err", err)
		return nothing
	}
	return web.Server{
		Handler:   web.Handler(web.Options{Gatherer: s.Registry, Pprof: of.Pprof, Hosts: of.Hosts}),
		WebConfig: of.WebConfig, Logger: s.Logger,
		Failed: func(err error) { s.Logger.Error("http server ended", "err", err) },
	}.Serve(ctx, listener)
}
