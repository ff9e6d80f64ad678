package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/internal/awserr"
	"syncd/internal/daemon/web"
	"syncd/internal/syncer"
)

func backfillCommand(p process) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:        "backfill [--config FILE] [--mapping NAME]...",
		Short:      "Run one pass of every mapping now",
		SuggestFor: []string{"sync", "copy", "once"},
		Long: `backfill runs one pass of every mapping now, one after the other, and prints a summary of each. It resumes
a pass that was interrupted. While it works it draws a progress bar on a terminal and prints a line now and then elsewhere;
it serves /metrics and /healthz when http.listen is set, and /debug/pprof/ when http.pprof is, on ` + config.DefaultListen + ` if need be.

On Ctrl-C or SIGTERM it drains: it finishes the copies in progress for up to drain_timeout, saves the ledger and exits with 130. A second
signal ends it at once; the next pass resumes from what was saved before.` + exits("backfill", 0, 1, 2, 3, 5, 130),
		Example: "  syncd backfill --config syncd.yaml\n  syncd backfill --config syncd.yaml --mapping alice-to-bob --json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return traverse(cmd.Context(), p, f, runPass) },
	}
	addFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.json, "json", false, "print the summary as one JSON object on the last line")
	cmd.Flags().BoolVar(&f.takeOver, "take-over", false, "replace what the destination holds and syncd did not write, in this pass alone; as after a lost ledger")
	cmd.Flags().BoolVar(&f.rekey, "rekey", false, "allow a pass to copy everything again under another kms_key; otherwise report the cost and stop")
	return cmd
}

// traversal is what a command has each mapping of a system do once.
type traversal func(ctx context.Context, s *system, m *mapping) (syncer.Summary, error)

func runPass(ctx context.Context, _ *system, m *mapping) (syncer.Summary, error) {
	return m.syncer.Run(ctx)
}

// traverse has every mapping do it, one after the other.
func traverse(ctx context.Context, p process, f flags, do traversal) (err error) {
	s, err := newSystem(ctx, p, f)
	if err != nil {
		return err
	}
	closeServer := s.serve(ctx)
	defer func() { err = errors.Join(err, closeServer()) }()
	var summaries []syncer.Summary
	var failures []error
	for _, m := range s.mappings {
		s.warnPaused(ctx, m.Name)
		summary, err := s.onePass(ctx, m, f.json, do)
		summaries, failures = append(summaries, summary), append(failures, err)
		if errors.Is(err, syncer.ErrDrained) || ctx.Err() != nil {
			break
		}
	}
	err = errors.Join(failures...)
	if f.json {
		err = errors.Join(err, printJSON(p.stdout, summaries))
	}
	return err
}

// serve answers on http.listen while a backfill works, where that is set, or http.pprof is, which is served where run would. A backfill that finds it taken, as by a daemon with the same
// configuration, works without.
func (s *system) serve(ctx context.Context) (closeServer func() error) {
	of, nothing := s.config.HTTP, func() error { return nil }
	if of.Listen == "" && !of.Pprof {
		return nothing
	}
	listener, err := listen(ctx, listenAddress(of.Listen))
	if err != nil {
		s.logger.Warn("metrics were not served", "err", err)
		return nothing
	}
	return web.Server{
		Handler:   web.Handler(web.Options{Gatherer: s.registry, Pprof: of.Pprof, Hosts: of.Hosts}),
		WebConfig: of.WebConfig, Logger: s.logger,
		Failed: func(err error) { s.logger.Error("http server ended", "err", err) },
	}.Serve(ctx, listener)
}

// quarantineHint says where the reasons are, and what is the usual cause of some.
func quarantineHint(s syncer.Summary) string {
	hints := []string{"`syncd status --quarantine` lists them with their reasons; passes try them again by themselves, `syncd replay` does now"}
	isCopied := s.Copied+s.Unchanged+s.Adopted > 0
	for _, reason := range []awserr.Class{awserr.Denied, awserr.NoKey, awserr.KeyDisabled} {
		switch {
		case s.Quarantined[string(reason)] == 0:
		case reason == awserr.NoKey:
			hints = append(hints, "no_key is a KMS key that does not exist: kms_key of the destination, unless others are copied")
		case reason == awserr.Denied && isCopied:
			hints = append(hints, "some objects denied while others are copied usually belong to a third account that wrote them, which a bucket policy does not cover: "+
				"`syncd doctor` shows their owners")
		default:
			hints = append(hints, "`syncd doctor` names the document or the key that is to blame for "+string(reason))
		}
	}
	return strings.Join(hints, "; ")
}

// onePass runs one pass of a mapping and shows it. An error names the mapping.
func (s *system) onePass(ctx context.Context, m *mapping, json bool, do traversal) (syncer.Summary, error) {
	stop := showProgress(ctx, s.process, m.Name, m.syncer)
	summary, err := do(ctx, s, m)
	stop()
	err = errors.Join(err, m.syncer.Close())
	if !json && (err == nil && summary.Pass > 0 || summary.Listed > 0) {
		printSummary(s.process.stdout, summary)
	}
	if err == nil && summary.SetAside() > 0 {
		err = &hinted{&quarantinedError{summary.SetAside()}, quarantineHint(summary)}
	}
	if err != nil {
		return summary, fmt.Errorf("mapping %s: %w", m.Name, err)
	}
	return summary, nil
}
