package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"syncd/internal/assembly"
	"syncd/internal/caller"
	"syncd/internal/control"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/syncer"
)

// requestWait is the default for --wait. A daemon checks the state for requests every 15 s.
const requestWait = 30 * time.Second

// askAtOnce limits how many requests are sent concurrently.
const askAtOnce = 64

// requestHelp describes a command that sends a request.
type requestHelp struct {
	what        control.What
	short, long string
	needsOne    bool // the command has no --all
	hasPass     bool // the request runs a pass, which may quarantine objects
}

func requestHelps() []requestHelp {
	return []requestHelp{
		{what: control.Trigger, short: "Ask the running daemon for a pass now", long: `trigger asks the daemon to run a pass of each mapping now, even if none is due. If a
pass is in progress, the next one starts right after it. Mappings without a schedule accept requests
too.`, hasPass: true},
		{what: control.Pause, short: "Pause a mapping: run none of its passes until it is resumed", long: `pause stops all daemons from running passes of the mapping until ` + "`syncd resume`" + `. A pass in progress
saves its progress and ends. The pause is stored in the state: it survives restarts, applies to all
replicas, and takes effect even if no daemon is running. ` + "`syncd backfill`" + ` still runs a paused mapping
and logs a warning.`},
		{what: control.Resume, short: "End a pause", long: `resume ends a pause: the daemon runs the mapping on its schedule again. If a pass was due during the
pause, it starts at once.`},
		{what: control.Rekey, short: "Ask the running daemon to copy everything again under a new kms_key", long: `rekey asks the daemon to run a pass that is allowed to copy everything again under the kms_key in the daemon's
configuration. Without a daemon, use ` + "`syncd backfill --rekey`" + `. ` + "`syncd plan --rekey`" + ` shows the cost.`, needsOne: true, hasPass: true},
	}
}

func requestCommands(p invocation.Process) (commands []*cobra.Command) {
	for _, help := range requestHelps() {
		commands = append(commands, requestCommand(p, help))
	}
	return commands
}

// asking contains the flags of a command that sends requests.
type asking struct {
	invocation.Flags
	all  bool
	wait time.Duration
}

func requestCommand(p invocation.Process, help requestHelp) *cobra.Command {
	var a asking
	name, codes := string(help.what), []int{syncer.ExitDone, syncer.ExitFailed, exit.CodeUsage, syncer.ExitInterrupted}
	onInterrupt := "On Ctrl-C it withdraws the request if no daemon has accepted it yet; otherwise the daemon completes the request."
	if help.hasPass {
		codes = append(codes, syncer.ExitQuarantined)
	} else {
		onInterrupt = "On Ctrl-C the request stays in the state, and a daemon carries it out."
	}
	cmd := &cobra.Command{
		Use:   name + " [--config FILE] --mapping NAME...",
		Short: help.short,
		Long: help.long + `

The request goes through the socket of the daemon on this machine (control.socket) if a daemon answers there.
Otherwise it goes through the state: the daemon that holds the lease, on any machine, finds it there
within 15 s. ` + name + ` waits for the answer and prints it.
` + onInterrupt + exit.Help(name, codes...),
		Example: "  syncd " + name + " --config syncd.yaml --mapping alice-to-bob",
		RunE:    func(cmd *cobra.Command, _ []string) error { return ask(cmd.Context(), p, a, help.what) },
	}
	invocation.AddFlags(cmd, &a.Flags)
	if help.what == control.Trigger {
		cmd.Flags().Int64Var(&a.AllowDeletes, "allow-deletes", 0, allowDeletesUsage)
	}
	if !help.needsOne {
		cmd.Flags().BoolVar(&a.all, "all", false, "send the request for every mapping of the configuration")
	}
	cmd.Flags().DurationVar(&a.wait, "wait", requestWait, "how long to wait for the answer, at most 24h; 0 does not wait")
	cmd.Flags().BoolVar(&a.JSON, "json", false, "print the answers as JSON, one object per mapping and line")
	return cmd
}

// ask sends the request for each mapping and prints the answers, in the order of the configuration.
func ask(ctx context.Context, p invocation.Process, a asking, what control.What) error {
	switch {
	case a.all && len(a.Mappings) > 0:
		return exit.Usage(fmt.Errorf("%s: give --mapping or --all, not both", what))
	case !a.all && len(a.Mappings) == 0:
		return exit.Usage(fmt.Errorf("%s: name mappings with --mapping, or give --all if the command has it", what))
	case a.AllowDeletes < 0:
		return exit.Usage(fmt.Errorf("%s: --allow-deletes %d is negative", what, a.AllowDeletes))
	case a.wait < 0:
		return exit.Usage(fmt.Errorf("%s: --wait %s is negative", what, a.wait))
	case a.wait > control.MaxWait:
		return exit.Usage(fmt.Errorf("%s: --wait %s is longer than %s, after which a request expires", what, a.wait, control.MaxWait))
	}
	s, err := assembly.LoadState(p, a.Flags)
	if err != nil {
		return err
	}
	c := caller.New(ctx, p, s, a.wait)
	answers, failures := make([]control.Answer, len(s.Mappings)), make([]error, len(s.Mappings))
	var asking errgroup.Group
	asking.SetLimit(askAtOnce)
	for i, m := range s.Mappings {
		asking.Go(func() error {
			answers[i], failures[i] = c.Ask(ctx, control.Request{Mapping: m.Name, What: what, AllowDeletes: a.AllowDeletes})
			return nil
		})
	}
	_ = asking.Wait() // the failures are printed below
	for i, answer := range answers {
		failure := failures[i]
		if failure == nil {
			failures[i] = caller.Failure(answer)
		}
		if answer.Outcome != "" && (failure == nil || a.JSON) {
			failures[i] = errors.Join(caller.Print(p.Stdout, answer, a.JSON), failures[i])
		}
		if failures[i] != nil {
			failures[i] = fmt.Errorf("mapping %s: %w", s.Mappings[i].Name, failures[i])
		}
	}
	return errors.Join(failures...)
}
