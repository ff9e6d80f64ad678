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
	"syncd/internal/assembly"
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
		Short:      "Run the daemon: copy every mapping on its schedule until stopped",
		SuggestFor: []string{"start", "serve", "daemon"},
		Long: `run is the daemon. It runs the passes of every mapping on its schedule, one pass at a time per mapping. A mapping without a schedule
runs a pass only when ` + "`syncd trigger`" + ` requests one. It serves /metrics, /healthz, /readyz and /status on http.listen
(default ` + config.DefaultListen + `).

It reloads the configuration on SIGHUP and when the file changes. If the new configuration has a fault, run rejects all of it and
keeps the old one. Unchanged mappings continue undisturbed, a changed mapping finishes its current pass under the old configuration, and a removed mapping drains.

On SIGTERM it starts no new work, finishes the copies in progress for up to drain_timeout, saves the ledger and exits with 0. A
second signal kills it at once; the next start resumes from what was saved.` + exit.Help("run", 0, 1, 2, 130),
		Example: "  syncd run --config syncd.yaml",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDaemon(cmd.Context(), p, f) },
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().StringVar(&f.Listen, "listen", "", "serve on `ADDRESS`, HOST:PORT or :PORT, instead of on http.listen from the configuration")
	return cmd
}

func runDaemon(ctx context.Context, p invocation.Process, f invocation.Flags) error {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP) // from here on SIGHUP does not kill the process
	defer signal.Stop(asked)
	s, err := assembly.New(ctx, p, f, invocation.WarnUnscheduled(f))
	if err != nil {
		return err
	}
	r := assembly.NewReloader(s, f, asked)
	mappings := r.First()
	listener, err := serveOn(ctx, s, f.Listen)
	if err != nil {
		return err
	}
	socket, err := controlSocket(ctx, s)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return daemon.New(daemon.Options{
		Mappings: mappings, Watch: r.Watch, Listener: listener, Gatherer: s.Registry, Metrics: s.Metrics, Board: s.Board, Line: r.Places,
		Control: control.NewDesk(s.Store, p.Now), ControlListener: socket, Holder: assembly.Holder(),
		WebConfig: s.Config.HTTP.WebConfig, Hosts: s.Config.HTTP.Hosts, Pprof: s.Config.HTTP.Pprof, Watchdog: s.Config.HTTP.Watchdog.Duration(), DrainTimeout: s.Config.DrainTimeout.Duration(), Hint: exit.Hint, Secrets: r.Secrets,
		Version: buildinfo.Read().Version, Logger: s.Logger, Now: p.Now, Rand: rand.Int64N,
	}).Run(ctx)
}

// controlSocket creates the socket that accepts requests. If the configuration does not name a
// socket and the default one cannot be created, it logs a warning and returns nil.
func controlSocket(ctx context.Context, s *assembly.System) (net.Listener, error) {
	path := s.Config.ControlSocket()
	if path == "" {
		return nil, nil //nolint:nilnil // the socket is turned off
	}
	listener, err := control.Listen(ctx, path)
	if err == nil {
		return listener, nil
	}
	if errors.Is(err, control.ErrSocketInUse) && s.Config.Control.Socket != "" {
		return nil, exit.WithHint(err, "another `syncd run` on this machine uses it"+named(control.OwnerOf(path))+": stop that process, or set control.socket of this one to another path or to off")
	}
	if s.Config.Control.Socket == "" {
		s.Logger.Warn("control socket was not created, requests arrive only through the state", "err", err)
		return nil, nil //nolint:nilnil // the daemon works without a socket
	}
	return nil, exit.WithHint(err, "control.socket: "+invocation.SocketPlaceHint(path, err))
}

// named returns the process id in brackets for a message, or "" if pid is 0.
func named(pid int) string {
	if pid == 0 {
		return ""
	}
	return fmt.Sprintf(" (process %d)", pid)
}

// serveOn listens on the address of --listen, or else on http.listen. It rejects --listen if
// http.pprof is set: profiles expose memory contents, so the address must be a loopback address,
// and the check of the configuration covers only http.listen.
func serveOn(ctx context.Context, s *assembly.System, flag string) (net.Listener, error) {
	if flag != "" && s.Config.HTTP.Pprof {
		return nil, exit.Usage(errors.New("run: --listen cannot be given if http.pprof is set: profiles are served only on a loopback address, set with http.listen"))
	}
	listener, err := assembly.Listen(ctx, assembly.ListenAddress(cmp.Or(flag, s.Config.HTTP.Listen)))
	if err != nil && flag != "" {
		return nil, exit.WithHint(err, "set --listen to a free address, HOST:PORT or :PORT")
	}
	if err != nil {
		return nil, exit.WithHint(err, "set http.listen to a free address")
	}
	return listener, nil
}
