package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/internal/daemon"
)

func runCommand(p process) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "run --config FILE [--mapping NAME]...",
		Short: "Keep every mapping on its schedule until told to stop",
		Long: `run keeps every mapping that has a schedule in step with its source, one pass at a time each, and serves
/metrics and /healthz on http.listen (` + config.DefaultListen + ` when it is not set).

On SIGTERM it takes no new work, finishes copies in hand for up to drain_timeout, saves the ledger and exits 0. A second
signal ends it at once; the next start goes on from what was saved.

` + exitCodes,
		Example: "  syncd run --config syncd.yaml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDaemon(cmd.Context(), p, f) },
	}
	addFlags(cmd, &f)
	return cmd
}

// addFlags adds the flags that every command on a configuration has.
func addFlags(cmd *cobra.Command, f *flags) {
	cmd.Flags().StringVarP(&f.config, "config", "c", "", "configuration `FILE` (required)")
	cmd.Flags().StringArrayVarP(&f.mappings, "mapping", "m", nil, "only the mapping `NAME`; may be repeated (default all)")
	cmd.Flags().StringVar(&f.logLevel, "log-level", "", "debug, info, warn or error, over log.level of the configuration")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if f.config == "" {
			return &usageError{errors.New("read configuration: --config FILE is missing")}
		}
		return nil
	}
}

func runDaemon(ctx context.Context, p process, f flags) error {
	s, err := newSystem(ctx, p, f)
	if err != nil {
		return err
	}
	var mappings []daemon.Mapping
	for _, m := range s.mappings {
		if m.Schedule.IsZero() {
			s.logger.Warn("mapping has no schedule, left to backfill", "mapping", m.Name)
			continue
		}
		mappings = append(mappings, daemon.Mapping{
			Name: m.Name, Schedule: m.Schedule, Runner: m.syncer,
			// An interval counts from now; a time of day was chosen on purpose.
			AtOnce: strings.HasPrefix(m.Schedule.String(), "@every"),
		})
	}
	if len(mappings) == 0 {
		return &usageError{errors.New("run: no mapping has a schedule; set mappings[].schedule, or run backfill")}
	}
	address := s.config.HTTP.Listen
	if address == "" {
		address = config.DefaultListen
	}
	listener, err := listen(ctx, address)
	if err != nil {
		return &hinted{err, "set http.listen to a free address"}
	}
	return daemon.Run(ctx, daemon.Options{
		Mappings: mappings, Listener: listener, Handler: daemon.Handler(s.registry), Logger: s.logger, Now: p.now,
	})
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve http: %w", err)
	}
	return listener, nil
}
