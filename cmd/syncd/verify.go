package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"syncd/internal/assembly"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/plan"
	"syncd/internal/report"
	"syncd/internal/syncer"
	"syncd/internal/syncer/verify"
	"syncd/internal/terminal/progress"
)

// verifyFlags are the flags of `syncd verify`.
type verifyFlags struct {
	invocation.Flags
	deep, repair, csv bool
	sample            string
	share             float64 // of the copies that are inspected
}

func verifyCommand(p invocation.Process) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:        "verify [--config FILE] [--mapping NAME]...",
		Short:      "Compare the destination with the ledger and the source",
		SuggestFor: []string{"check", "audit", "compare"},
		Long: `verify compares the destination with the ledger and the source, by listing both sides once, and prints each difference: a copy that is
missing, stale or overwritten by another writer, an object in quarantine, and a foreign object, which syncd neither wrote nor adopted. It writes
nothing and takes no lease, so you can run it while the daemon runs. Keys that a pass may be writing are counted as unsettled and not judged.

With --deep it also inspects the copies with a HEAD request on each side and reads the tags on each side: KMS key, bucket key, checksum, metadata,
tags and Object Lock. No listing shows these, so a pass does not notice if only they change at the source. --sample inspects a random part of the
copies. With verify.sample in the configuration, the policies of syncd policy include the permissions for inspections.

With --repair it runs a pass that also mends what it finds: it copies again what is missing, stale or different. An object of another writer stays
as it is, unless it turns out to be a copy of the source object or --take-over is given. Foreign objects under keys that the source does not have
are never deleted. While a daemon holds the lease, pause the mapping first.` + exit.Help("verify", 0, 1, 2, 4, 5, 130),
		Example: "  syncd verify --config syncd.yaml\n  syncd verify --config syncd.yaml --sample 1% --json\n" +
			"  syncd verify --config syncd.yaml --mapping alice-to-bob --deep --repair",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return verifyAll(cmd.Context(), p, f)
		},
	}
	invocation.AddFlags(cmd, &f.Flags)
	cmd.Flags().BoolVar(&f.JSON, "json", false, "print each difference as a JSON object on a line, and the result as one JSON object on the last line")
	cmd.Flags().BoolVar(&f.csv, "csv", false, "print the differences as CSV on standard output, and the result on standard error")
	cmd.Flags().BoolVar(&f.deep, "deep", false, "inspect every copy with requests of its own")
	cmd.Flags().StringVar(&f.sample, "sample", "", "inspect a random `SHARE` of the copies, such as 1% (default verify.sample)")
	cmd.Flags().BoolVar(&f.repair, "repair", false, "mend the differences with a pass")
	cmd.Flags().BoolVar(&f.TakeOver, "take-over", false, "with --repair: replace objects at the destination that syncd did not write")
	return cmd
}

// check checks the flags, and computes the share of the copies that are inspected.
func (f *verifyFlags) check() error {
	switch {
	case f.JSON && f.csv:
		return exit.Usage(errors.New("verify: --json and --csv exclude each other"))
	case f.deep && f.sample != "":
		return exit.Usage(errors.New("verify: --deep inspects every copy and --sample a part; give one of them"))
	case f.TakeOver && !f.repair:
		return exit.Usage(errors.New("verify: --take-over needs --repair"))
	case f.deep:
		f.share = 1
	case f.sample != "":
		var ok bool
		if f.share, ok = verify.ParseShare(f.sample); !ok {
			return exit.Usage(fmt.Errorf("verify: --sample %q is not a share from above 0%% to 100%%, such as 1%%", f.sample))
		}
	}
	return nil
}

// format returns how differences are printed, and where the results are printed.
func (f *verifyFlags) format(p invocation.Process) (report.Format, io.Writer) {
	switch {
	case f.JSON:
		return report.JSONLines, io.Discard
	case f.csv:
		return report.CSV, p.Stderr
	default:
		return report.Text, p.Stdout
	}
}

// verifyAll verifies every mapping, one after the other.
func verifyAll(ctx context.Context, p invocation.Process, f verifyFlags) error {
	s, err := assembly.New(ctx, p, f.Flags)
	if err != nil {
		return err
	}
	format, results := f.format(p)
	lines := report.NewDifferences(p.Stdout, format)
	var all []report.Verified
	var failures []error
	for _, m := range s.Mappings {
		v, err := f.verify(ctx, p, m, lines)
		report.Verification(results, v)
		all, failures = append(all, v), append(failures, err)
		if errors.Is(err, syncer.ErrDrained) || ctx.Err() != nil {
			break
		}
	}
	err = errors.Join(append(failures, lines.Err())...)
	if f.JSON {
		err = errors.Join(err, report.VerificationsJSON(p.Stdout, all, len(s.Mappings)))
	}
	return err
}

// verify verifies one mapping, and mends the differences if that was requested.
func (f *verifyFlags) verify(ctx context.Context, p invocation.Process, m *assembly.Mapping, lines *report.Differences) (v report.Verified, err error) {
	shown := progress.ShowListing(p.Stderr, p.Now, m.Name)
	request := verify.Request{
		Share: f.shareOf(m), Seed: rand.Uint64(), Walked: shown.Count,
		Found: func(d plan.Difference) error { return lines.Print(m.Name, d) },
	}
	if f.repair {
		v, err = repair(ctx, m, request)
	} else {
		v.Report, err = m.Syncer.Verify(ctx, request)
	}
	shown.Clear()
	switch left := v.Left(); {
	case errors.Is(err, syncer.ErrDrained) && !f.repair:
		return v, exit.WithHint(fmt.Errorf("mapping %s: verify: %w", m.Name, err), "nothing was written; run it again")
	case err != nil:
		return v, fmt.Errorf("mapping %s: verify: %w", m.Name, err)
	case left > 0:
		return v, fmt.Errorf("mapping %s: %w", m.Name, exit.Differences(left, f.repair))
	}
	return v, nil
}

// shareOf returns the share of the copies that are inspected: that of the flags or, without them, that of
// the configuration.
func (f *verifyFlags) shareOf(m *assembly.Mapping) float64 {
	if f.deep || f.sample != "" {
		return f.share
	}
	return m.Verify.Sample / 100
}

// repair runs a pass that verifies the destination and mends what differs.
func repair(ctx context.Context, m *assembly.Mapping, request verify.Request) (report.Verified, error) {
	found, summary, err := m.Syncer.Repair(ctx, request)
	return report.Verified{Report: found, Repair: &summary}, errors.Join(err, m.Syncer.Close())
}
