package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"syncd/internal/assembly"
	"syncd/internal/caller"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/control"
	"syncd/internal/exit"
	"syncd/internal/hint"
	"syncd/internal/invocation"
	"syncd/internal/printable"
	"syncd/internal/syncer"
)

func replayCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var asked selection
	cmd := &cobra.Command{
		Use:        "replay [--config FILE] [--mapping NAME]... [--reason REASON]... [--key KEY]...",
		Short:      "Try quarantined objects again now",
		SuggestFor: []string{"retry"},
		Long: `replay tries objects in quarantine again: all of them, or those with a given reason or key, even if no pass would try them yet. It
does not list the source, touches no other objects, and prints a summary as backfill does. Run it after you fix the
cause, such as a policy or a key, or after the owner has restored an archived object.

If no object in quarantine matches, replay reports that on standard error, writes nothing except its lease, and exits with 0. A
reason that does not exist is a usage error.

If a daemon holds the lease, replay asks it to do the work and waits for the answer. If a pass of the mapping was interrupted, backfill or run must finish that pass first; a daemon that receives the request does so by itself. On Ctrl-C replay withdraws the request if the daemon has
not accepted it yet; otherwise the daemon completes the request.` + exit.Help("replay", 0, 1, 2, 3, 5, 130),
		Example: "  syncd replay --config syncd.yaml\n  syncd replay --config syncd.yaml --mapping alice-to-bob --reason denied",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := asked.check(); err != nil {
				return err
			}
			var replays []*replayed
			err := traverse(cmd.Context(), p, f, func(ctx context.Context, s *assembly.System, m *assembly.Mapping) (syncer.Summary, error) {
				r := &replayed{selection: asked, keysFound: map[string]bool{}}
				summary, err := m.Syncer.Replay(ctx, r.choose)
				r.mapping = summary.Mapping
				if store.IsLeaseHeld(err) {
					summary, err = handOver(ctx, s, r, err)
				}
				if err == nil {
					replays = append(replays, r)
				}
				return summary, err
			})
			for _, r := range replays {
				r.printMissing(p.Stderr)
			}
			return err
		},
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print the summary as one JSON object on the last line")
	cmd.Flags().StringArrayVar(&asked.reasons, "reason", nil, "only objects quarantined for `REASON`; may be repeated (default all)")
	cmd.Flags().StringArrayVar(&asked.keys, "key", nil, "only the object with `KEY` at the source; may be repeated (default all)")
	return cmd
}

// selection selects objects in quarantine by reason and key. An empty list of reasons selects every
// reason, and an empty list of keys every key.
type selection struct{ reasons, keys []string }

// check rejects unknown reasons and impossible keys.
func (s selection) check() error {
	known := quarantineReasons()
	var faults []error
	for _, reason := range s.reasons {
		if !slices.Contains(known, reason) {
			hint := strings.TrimSpace(hint.DidYouMean(reason, known) + " The reasons are " + strings.Join(known, ", "))
			faults = append(faults, exit.WithHint(exit.Usage(fmt.Errorf("replay: there is no reason %q", reason)), hint))
		}
	}
	for _, key := range s.keys {
		if len(key) == 0 || len(key) > control.MaxKey {
			faults = append(faults, exit.Usage(fmt.Errorf("replay: --key has %d bytes, but the key of an object has 1 to %d", len(key), control.MaxKey)))
		}
	}
	return errors.Join(faults...)
}

// request returns the request that asks a daemon to make the replay that r describes.
func (r *replayed) request() (control.Request, error) {
	if n := len(r.reasons) + len(r.keys); n > control.MaxFilter {
		return control.Request{}, exit.Usage(fmt.Errorf("replay: a daemon accepts at most %d reasons and keys, got %d", control.MaxFilter, n))
	}
	asked := control.Request{Mapping: r.mapping, What: control.Replay, Reasons: r.reasons}
	for _, key := range r.keys {
		asked.Keys = append(asked.Keys, []byte(key))
	}
	return asked, nil
}

// replayed records which objects a replay of one mapping found in quarantine.
type replayed struct {
	selection
	mapping string

	mu                sync.Mutex
	hasAny, hasChosen bool
	keysFound         map[string]bool
}

func (r *replayed) choose(q record.Quarantined) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hasAny = true
	if !invocation.Chosen(r.keys, q.Key) {
		return false
	}
	r.keysFound[q.Key] = true
	isChosen := invocation.Chosen(r.reasons, q.Reason)
	r.hasChosen = r.hasChosen || isChosen
	return isChosen
}

// printMissing prints which selected keys are not in quarantine. If no object in quarantine matches
// the selection, it prints that nothing was tried.
func (r *replayed) printMissing(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var missing []string
	for _, key := range r.keys {
		if quoted := strconv.Quote(key); !r.keysFound[key] && !slices.Contains(missing, quoted) {
			missing = append(missing, quoted)
		}
	}
	const nothingTried = ": nothing was tried, and the ledger is unchanged; "
	const hint = "hint: `syncd status --quarantine` lists the quarantine"
	switch {
	case !r.hasAny:
		printable.Fprintf(w, "syncd: mapping %s: the quarantine is empty: nothing was tried, and the ledger is unchanged\n", r.mapping)
	case len(missing) > 0 && r.hasChosen:
		printable.Fprintf(w, "syncd: mapping %s: not in quarantine, and not tried: %s; %s\n", r.mapping, strings.Join(missing, ", "), hint)
	case len(missing) > 0:
		printable.Fprintf(w, "syncd: mapping %s: not in quarantine: %s%s%s\n", r.mapping, strings.Join(missing, ", "), nothingTried, hint)
	case !r.hasChosen:
		printable.Fprintf(w, "syncd: mapping %s: nothing is in quarantine for %s%s%s\n", r.mapping, r.asked(), nothingTried, hint)
	}
}

// asked describes the selection for a message.
func (r *replayed) asked() string {
	text := strings.Join(r.reasons, " or ")
	if len(r.keys) > 0 {
		text += " with the given keys"
	}
	return text
}

// handOver asks the daemon that holds the lease to replay, and waits until the daemon has done so.
// If no daemon accepts the request, it returns held, the error about the held lease. If no object
// in quarantine matches the selection, it sends no request.
func handOver(ctx context.Context, s *assembly.System, asked *replayed, held error) (syncer.Summary, error) {
	summary := syncer.Summary{Mapping: asked.mapping, Skipped: map[string]int64{}, Quarantined: map[string]int64{}, Requests: map[string]int64{}}
	isWanted, err := lookUp(ctx, s.Store, asked, &summary)
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
	s.Logger.Info("replay requested from the process that holds the lease", "mapping", asked.mapping)
	answer, err := caller.NewFollower(s, requestWait).Ask(ctx, r)
	if _, isUnheard := errors.AsType[*caller.UnheardError](err); isUnheard {
		return failedReplay(summary, held)
	}
	if of, ok := caller.Summary(answer); ok {
		summary = of
	}
	if err == nil && answer.Outcome != control.Done {
		err = caller.Failure(answer)
	}
	if err != nil {
		return failedReplay(summary, err)
	}
	return summary, nil
}

// lookUp reports whether the quarantine of the last generation contains objects that match the
// selection. A replay by the daemon that holds the lease reads the same generation.
func lookUp(ctx context.Context, store store.Store, asked *replayed, summary *syncer.Summary) (isWanted bool, err error) {
	last, err := record.Latest(ctx, store, asked.mapping)
	if errors.Is(err, record.ErrNoCheckpoint) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	summary.Generation, summary.Result = last.Generation, history.ResultComplete
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

// failedReplay returns err, and the summary of a replay that failed with err. If no pass began, it
// adds the error and the exit code to the summary.
func failedReplay(s syncer.Summary, err error) (syncer.Summary, error) {
	if s.Pass == 0 {
		s.Result, s.Error, s.Exit = "", err.Error(), exit.Code(err)
	}
	return s, err
}
