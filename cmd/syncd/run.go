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
	"syncd/internal/buildinfo"
	"syncd/internal/control"
	"syncd/internal/daemon"
	"syncd/internal/exit"
	"syncd/internal/invocation"
)

func runCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
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
signal ends it at once; the next start goes on from what was saved.` + exit.Help("run", 0, 1, 2, 130),
		Example: "  syncd run --config syncd.yaml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDaemon(cmd.Context(), p, f) },
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().StringVar(&f.Listen, "listen", "", "`ADDRESS` to serve on, HOST:PORT or :PORT, over http.listen of the configuration")
	return cmd
}

func runDaemon(ctx context.Context, p invocation.Process, f invocation.Flags) error {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP) // from here on it is not the end of the process
	defer signal.Stop(asked)
	s, err := newSystem(ctx, p, f, invocation.WarnUnscheduled(f))
	if err != nil {
		return err
	}
	r := newReloader(s, f, asked)
	mappings := r.first()
	listener, err := serveOn(ctx, s, f.Listen)
	if err != nil {
		return err
	}
	socket, err := controlSocket(ctx, s)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return daemon.New(daemon.Options{
		Mappings: mappings, Watch: r.watch, Listener: listener, Gatherer: s.registry, Metrics: s.metrics, Places: r.places,
		Control: control.NewDesk(s.store, p.Now), ControlListener: socket, Holder: holder(),
		WebConfig: s.config.HTTP.WebConfig, Hosts: s.config.HTTP.Hosts, Pprof: s.config.HTTP.Pprof, Watchdog: s.config.HTTP.Watchdog.Duration(), DrainTimeout: s.config.DrainTimeout.Duration(), Hint: exit.Hint, Secrets: r.secrets,
		Version: buildinfo.Read().Version, Logger: s.logger, Now: p.Now, Rand: rand.Int64N,
	}).Run(ctx)
}

// controlSocket makes the socket that requests come by. One that is not asked for is left out where it cannot be made.
func controlSocket(ctx context.Context, s *system) (net.Listener, error) {
	path := s.config.ControlSocket()
	if path == "" {
		return nil, nil //nolint:nilnil // none is wanted
	}
	listener, err := control.Listen(ctx, path)
	if err == nil {
		return listener, nil
	}
	if errors.Is(err, control.ErrSocketInUse) && s.config.Control.Socket != "" {
		return nil, exit.WithHint(err, "another `syncd run` on this machine has it"+named(control.OwnerOf(path))+": end that one, or give this one another control.socket, or off")
	}
	if s.config.Control.Socket == "" {
		s.logger.Warn("control socket was not made, requests come by the state alone", "err", err)
		return nil, nil //nolint:nilnil // it goes without
	}
	return nil, exit.WithHint(err, "control.socket: "+invocation.SocketPlaceHint(path, err))
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
func serveOn(ctx context.Context, s *system, flag string) (net.Listener, error) {
	if flag != "" && s.config.HTTP.Pprof {
		return nil, exit.Usage(errors.New("run: --listen cannot be given with http.pprof, which is for loopback addresses in the configuration only"))
	}
	listener, err := listen(ctx, listenAddress(cmp.Or(flag, s.config.HTTP.Listen)))
	if err != nil && flag != "" {
		return nil, exit.WithHint(err, "give --listen a free address, HOST:PORT or :PORT")
	}
	if err != nil {
		return nil, exit.WithHint(err, "set http.listen to a free address")
	}
	return listener, nil
}
