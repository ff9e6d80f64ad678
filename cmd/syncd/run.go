package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"syncd/config"
	"syncd/internal/control"
	"syncd/internal/daemon"
)

func runCommand(p process) *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:        "run [--config FILE] [--mapping NAME]... [--listen ADDRESS]",
		Short:      "Keep every mapping on its schedule until it is stopped",
		SuggestFor: []string{"start", "serve", "daemon"},
		Long: `run keeps every mapping that has a schedule in step with its source, one pass at a time each. Those without one wait
for ` + "`syncd trigger`" + `. It serves
/metrics, /healthz, /readyz and /status on http.listen (` + config.DefaultListen + ` when it is not set).

On SIGHUP, and when the configuration file has changed, it reads the configuration again. One with a fault is refused as a
whole and the former one stays in force. Mappings that stay the same go on undisturbed, a changed one ends its pass first,
a removed one drains.

On SIGTERM it takes no new work, finishes copies in hand for up to drain_timeout, saves the ledger and exits 0. A second
signal ends it at once; the next start goes on from what was saved.` + exits("run", 0, 1, 2, 130),
		Example: "  syncd run --config syncd.yaml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDaemon(cmd.Context(), p, f) },
	}
	addFlags(cmd, &f)
	cmd.Flags().StringVar(&f.listen, "listen", "", "`ADDRESS` to serve on, HOST:PORT or :PORT, over http.listen of the configuration")
	return cmd
}

// addFlags adds the flags that every command on a configuration has.
func addFlags(cmd *cobra.Command, f *flags) {
	addConfigFlag(cmd, f, configRequired)
	cmd.Flags().StringArrayVarP(&f.mappings, "mapping", "m", nil, mappingUsage(cmd.Name()))
	cmd.Flags().StringVar(&f.logLevel, "log-level", "", "log from `LEVEL` on: debug, info, warn or error, over log.level of the configuration")
}

// mappingUsage says which mappings a command takes.
func mappingUsage(command string) string {
	switch command {
	case "export":
		return "the mapping `NAME` (required, one)"
	case "rename":
		return "the `NAME` that the mapping has now (required, one)"
	case string(control.Rekey):
		return "the mapping `NAME`; may be repeated (required)"
	case string(control.Trigger), string(control.Pause), string(control.Resume):
		return "the mapping `NAME`; may be repeated (required without --all)"
	default:
		return "only the mapping `NAME`; may be repeated (default all)"
	}
}

func runDaemon(ctx context.Context, p process, f flags) error {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP) // from here on it is not the end of the process
	defer signal.Stop(asked)
	s, err := newSystem(ctx, p, f, warnUnscheduled(f))
	if err != nil {
		return err
	}
	r := newReloader(s, f, asked)
	mappings := r.first()
	listener, err := s.serveOn(ctx, f.listen)
	if err != nil {
		return err
	}
	socket, err := s.controlSocket(ctx)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return daemon.New(daemon.Options{
		Mappings: mappings, Watch: r.watch, Listener: listener, Gatherer: s.registry, Metrics: s.metrics, Line: r.places,
		Control: control.NewDesk(s.store, p.now), ControlListener: socket, Holder: holder(),
		WebConfig: s.config.HTTP.WebConfig, Hosts: s.config.HTTP.Hosts, Pprof: s.config.HTTP.Pprof, Watchdog: s.config.HTTP.Watchdog.Duration(), DrainTimeout: s.config.DrainTimeout.Duration(), Hint: hintFor, Secrets: r.secrets,
		Version: readBuild().version, Logger: s.logger, Now: p.now, Rand: rand.Int64N,
	}).Run(ctx)
}

// controlSocket makes the socket that requests come by. One that is not asked for is left out where it cannot be made.
func (s *system) controlSocket(ctx context.Context) (net.Listener, error) {
	path := s.config.ControlSocket()
	if path == "" {
		return nil, nil //nolint:nilnil // none is wanted
	}
	listener, err := control.Listen(ctx, path)
	if err == nil {
		return listener, nil
	}
	if errors.Is(err, control.ErrSocketInUse) && s.config.Control.Socket != "" {
		return nil, &hinted{err, "another `syncd run` on this machine has it" + named(control.OwnerOf(path)) + ": end that one, or give this one another control.socket, or off"}
	}
	if s.config.Control.Socket == "" {
		s.logger.Warn("control socket was not made, requests come by the state alone", "err", err)
		return nil, nil //nolint:nilnil // it goes without
	}
	return nil, &hinted{err, "control.socket: " + socketPlaceHint(path, err)}
}

// named is the id of a process in brackets, "" where it is not known.
func named(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// serveOn listens where --listen or else the configuration says. Profiles show what is in memory, so the rule of the
// configuration for them also holds for the flag.
func (s *system) serveOn(ctx context.Context, flag string) (net.Listener, error) {
	if flag != "" && s.config.HTTP.Pprof {
		return nil, &usageError{errors.New("run: --listen cannot be given with http.pprof, which is for loopback addresses in the configuration only")}
	}
	listener, err := listen(ctx, listenAddress(cmp.Or(flag, s.config.HTTP.Listen)))
	if err != nil && flag != "" {
		return nil, &hinted{err, "give --listen a free address, HOST:PORT or :PORT"}
	}
	if err != nil {
		return nil, &hinted{err, "set http.listen to a free address"}
	}
	return listener, nil
}

// listenAddress returns where the pages are served.
func listenAddress(configured string) string {
	if configured == "" {
		return config.DefaultListen
	}
	return configured
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve http: %w", err)
	}
	return listener, nil
}
