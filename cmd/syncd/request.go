package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"syncd/internal/checkpoint"
	"syncd/internal/control"
	"syncd/internal/printable"
	"syncd/internal/syncer"
)

// requestWait is how long a command waits for an answer unless it is given another time: a daemon looks for requests in the state every 15 s.
const requestWait = 30 * time.Second

// askAtOnce is how many mappings are asked for at once.
const askAtOnce = 64

// requestHelp is what is said of each command that sends a request.
type requestHelp struct {
	what        control.What
	short, long string
	needsOne    bool // mappings are named one by one
	hasPass     bool // so that objects may be set aside
}

func requestHelps() []requestHelp {
	return []requestHelp{
		{what: control.Trigger, short: "Ask the running daemon for a pass now", long: `trigger has the daemon run a pass of each mapping now, whether its schedule has one due or not.
While a pass is in progress the next one begins right after it. Mappings without a schedule take
requests too.`, hasPass: true},
		{what: control.Pause, short: "Have no passes run until resume", long: `pause has every daemon leave the mapping alone until ` + "`syncd resume`" + `. A pass in progress saves what
it has done and ends. The pause is part of the state: it outlives restarts, holds for all replicas,
and takes effect without a running daemon too. ` + "`syncd backfill`" + ` of a paused mapping runs, with a
warning.`},
		{what: control.Resume, short: "End a pause", long: `resume has the daemon keep the mapping on its schedule again. A pass that was missed meanwhile
begins at once.`},
		{what: control.Rekey, short: "Ask the running daemon for a pass under a new kms_key", long: `rekey has the daemon run a pass that may copy everything again under the kms_key of its
configuration, as ` + "`syncd backfill --rekey`" + ` does without a daemon. ` + "`syncd plan --rekey`" + ` shows what
that costs.`, needsOne: true, hasPass: true},
	}
}

func requestCommands(p process) (commands []*cobra.Command) {
	for _, help := range requestHelps() {
		commands = append(commands, requestCommand(p, help))
	}
	return commands
}

// asking are the flags of a command that sends requests.
type asking struct {
	flags
	all  bool
	wait time.Duration
}

func requestCommand(p process, help requestHelp) *cobra.Command {
	var a asking
	name, codes := string(help.what), []int{syncer.ExitDone, syncer.ExitFailed, exitUsage, syncer.ExitInterrupted}
	onInterrupt := "On Ctrl-C a request that no daemon has accepted is withdrawn; one that was accepted goes on."
	if help.hasPass {
		codes = append(codes, syncer.ExitQuarantined)
	} else {
		onInterrupt = "On Ctrl-C the request stays: a daemon carries it out."
	}
	cmd := &cobra.Command{
		Use:   name + " [--config FILE] --mapping NAME...",
		Short: help.short,
		Long: help.long + `

The request goes to the socket of a daemon on this machine (control.socket) where one answers, and
else through the state, where the daemon that holds the lease finds it within 15 s, on whichever
machine it runs. ` + name + ` waits for the answer and prints it.
` + onInterrupt + exits(name, codes...),
		Example: "  syncd " + name + " --config syncd.yaml --mapping alice-to-bob",
		RunE:    func(cmd *cobra.Command, _ []string) error { return ask(cmd.Context(), p, a, help.what) },
	}
	addFlags(cmd, &a.flags)
	if !help.needsOne {
		cmd.Flags().BoolVar(&a.all, "all", false, "every mapping of the configuration")
	}
	cmd.Flags().DurationVar(&a.wait, "wait", requestWait, "how long to wait for the answer, up to 24h; 0 does not wait")
	cmd.Flags().BoolVar(&a.json, "json", false, "print the answers as JSON, one object per mapping on a line")
	return cmd
}

// ask sends the same request for each mapping and prints the answers in the order of the configuration.
func ask(ctx context.Context, p process, a asking, what control.What) error {
	switch {
	case a.all && len(a.mappings) > 0:
		return &usageError{fmt.Errorf("%s: give --mapping or --all, not both", what)}
	case !a.all && len(a.mappings) == 0:
		return &usageError{fmt.Errorf("%s: name mappings with --mapping, or give --all where the command has it", what)}
	case a.wait < 0:
		return &usageError{fmt.Errorf("%s: --wait %s is negative", what, a.wait)}
	case a.wait > control.MaxWait:
		return &usageError{fmt.Errorf("%s: --wait %s is longer than %s, after which a request expires", what, a.wait, control.MaxWait)}
	}
	c, err := newCaller(ctx, p, a.flags, a.wait)
	if err != nil {
		return err
	}
	answers, failures := make([]control.Answer, len(c.state.mappings)), make([]error, len(c.state.mappings))
	var asking errgroup.Group
	asking.SetLimit(askAtOnce)
	for i, m := range c.state.mappings {
		asking.Go(func() error {
			answers[i], failures[i] = c.ask(ctx, control.Request{Mapping: m.Name, What: what})
			return nil
		})
	}
	_ = asking.Wait() // each failure is shown
	for i, answer := range answers {
		failure := failures[i]
		if failure == nil {
			failures[i] = answerError(answer)
		}
		if answer.Outcome != "" && (failure == nil || a.json) {
			failures[i] = errors.Join(printAnswer(p, answer, a.json), failures[i])
		}
		if failures[i] != nil {
			failures[i] = fmt.Errorf("mapping %s: %w", c.state.mappings[i].Name, failures[i])
		}
	}
	return errors.Join(failures...)
}

func printAnswer(p process, a control.Answer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(printable.JSON(p.stdout)).Encode(a)
	}
	switch a.Outcome {
	case control.Done:
		_, err := printable.Fprintf(p.stdout, "%s: %s: %s\n", a.Mapping, a.What, a.Text)
		return err
	case control.Accepted:
		_, err := printable.Fprintf(p.stdout, "%s: %s accepted by %s, not finished yet; `syncd status` shows how it gets on\n", a.Mapping, a.What, a.By)
		return err
	case control.Pending:
		_, err := printable.Fprintf(p.stdout, "%s: %s requested; a daemon that keeps the mapping carries it out\n", a.Mapping, a.What)
		return err
	case control.Failed, control.Refused, control.Expired, control.Withdrawn: // shown as errors
	}
	return nil
}

// answerError is what an answer means for the exit code.
func answerError(a control.Answer) error {
	switch a.Outcome {
	case control.Done:
		summary, ok := summaryOf(a)
		if ok && summary.SetAside() > 0 {
			return &hinted{&quarantinedError{summary.SetAside()}, quarantineHint(summary)}
		}
		return nil
	case control.Failed, control.Refused, control.Expired, control.Withdrawn:
		err := fmt.Errorf("%s %s: %s", a.What, a.Outcome, a.Text)
		if a.Hint != "" {
			return &hinted{err, a.Hint}
		}
		return err
	case control.Accepted, control.Pending:
	}
	return nil
}

func summaryOf(a control.Answer) (summary syncer.Summary, ok bool) {
	if len(a.Summary) == 0 {
		return syncer.Summary{}, false
	}
	return summary, json.Unmarshal(a.Summary, &summary) == nil
}

// handOver has the daemon that holds the lease carry out a replay, and waits for its end. Where none takes it, the error is that of the
// lease. Where nothing that was asked for is in quarantine there is nothing to ask for.
func (s *system) handOver(ctx context.Context, asked *replayed, held error) (syncer.Summary, error) {
	summary := syncer.Summary{Mapping: asked.mapping, Skipped: map[string]int64{}, Quarantined: map[string]int64{}, Requests: map[string]int64{}}
	c := &caller{
		process: s.process, state: &state{config: s.config, logger: s.logger}, wait: requestWait, follow: true,
		store: func() (checkpoint.Store, error) { return s.store, nil },
	}
	isWanted, err := c.lookUp(ctx, asked, &summary)
	if err != nil {
		return failedReplay(summary, err)
	}
	if !isWanted {
		return summary, nil
	}
	r, err := asked.request()
	if err != nil {
		return failedReplay(summary, err)
	}
	c.state.logger.Info("lease held by another process, it is asked to replay", "mapping", asked.mapping)
	answer, err := c.ask(ctx, r)
	if _, isUnheard := errors.AsType[*unheardError](err); isUnheard {
		return failedReplay(summary, held)
	}
	if of, ok := summaryOf(answer); ok {
		summary = of
	}
	if err == nil && answer.Outcome != control.Done {
		err = answerError(answer)
	}
	if err != nil {
		return failedReplay(summary, err)
	}
	return summary, nil
}

// lookUp looks in the last generation for what a replay is asked for, as a replay under the lease does.
func (c *caller) lookUp(ctx context.Context, asked *replayed, summary *syncer.Summary) (isWanted bool, err error) {
	store, err := c.store()
	if err != nil {
		return false, err
	}
	last, err := checkpoint.Latest(ctx, store, asked.mapping)
	if errors.Is(err, checkpoint.ErrNoCheckpoint) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	summary.Generation, summary.Result = last.Generation, checkpoint.ResultComplete
	if last.Quarantined == 0 {
		return false, nil
	}
	for q, err := range checkpoint.Quarantine(ctx, store, asked.mapping) {
		if err != nil {
			return false, fmt.Errorf("read the quarantine: %w", err)
		}
		isWanted = asked.choose(q) || isWanted
	}
	return isWanted, nil
}

// failedReplay enters in a summary why the replay did not reach its end.
func failedReplay(s syncer.Summary, err error) (syncer.Summary, error) {
	if s.Pass == 0 {
		s.Result, s.Error, s.Exit = "", err.Error(), exitCode(err)
	}
	return s, err
}
