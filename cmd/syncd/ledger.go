package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"syncd/internal/assembly"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/control"
	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/printable"
	"syncd/internal/syncer/rename"
	"syncd/internal/usage"
)

func ledgerCommand(p invocation.Process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Export a ledger, or copy it to a renamed mapping",
		Long:  "A ledger records what a mapping has copied." + exit.Help("ledger", 0, 2),
		Example: "  syncd ledger export --config syncd.yaml --mapping alice-to-bob\n" +
			"  syncd ledger rename --config syncd.yaml --from alice-to-bob --mapping exports",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(exportCommand(p), renameCommand(p))
	return cmd
}

func exportCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var form exportForm
	cmd := &cobra.Command{
		Use:   "export --mapping NAME [--format csv|jsonl] [--for-spreadsheet]",
		Short: "Write the last generation's entries as CSV or JSON lines",
		Long: `export writes the entries of the last committed generation to standard output, in key order: which source version was copied to
which destination version, and under which KMS key. It takes no lease, so you can run it while the daemon runs.
docs/checkpoint-format.md describes the columns.

CSV is for programs: it contains every key byte for byte. The owner of the source chooses the object keys, and a spreadsheet would execute a
cell that looks like a formula. For a file that you open in a spreadsheet, use --for-spreadsheet: it puts an apostrophe before such
cells, quotes every cell, and escapes control characters. Some keys are then no longer exact.` + exit.Help("ledger export", 0, 1, 2, 130),
		Example: "  syncd ledger export --config syncd.yaml --mapping alice-to-bob --format csv > ledger.csv\n" +
			"  syncd ledger export --config syncd.yaml --mapping alice-to-bob --for-spreadsheet > read.csv",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if form.spreadsheet && !cmd.Flags().Changed("format") {
				form.format = "csv"
			}
			return export(cmd.Context(), p, f, form)
		},
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().StringVar(&form.format, "format", "jsonl", "`csv` or jsonl")
	cmd.Flags().BoolVar(&form.spreadsheet, "for-spreadsheet", false, "write CSV that is safe to open in a spreadsheet: without formulas or control characters")
	return cmd
}

// exportForm is the output format of an export.
type exportForm struct {
	format      string
	spreadsheet bool
}

func renameCommand(p invocation.Process) *cobra.Command {
	var f invocation.Flags
	var from string
	cmd := &cobra.Command{
		Use:   "rename [--config FILE] --from OLD --mapping NEW",
		Short: "Copy a ledger to the new name of a mapping",
		Long: `rename copies the ledger of a mapping's old name to its new name, so that no object is looked up at the destination or copied again. The new name must
not have a ledger yet, and the ledger must be for the same buckets and prefixes as the mapping. The history of passes and the pause, if the mapping is paused, are
copied too. The old ledger stays as it is; remove it when you no longer need it.` + exit.Help("ledger rename", 0, 1, 2, 5, 130),
		Example: "  syncd ledger rename --config syncd.yaml --from alice-to-bob --mapping exports",
		RunE:    func(cmd *cobra.Command, _ []string) error { return renameLedger(cmd.Context(), p, f, from) },
	}
	invocation.AddFlags(cmd, &f)
	cmd.Flags().StringVar(&from, "from", "", "the old `NAME` of the mapping (required)")
	return cmd
}

func renameLedger(ctx context.Context, p invocation.Process, f invocation.Flags, from string) error {
	if len(f.Mappings) != 1 || from == "" {
		return exit.Usage(errors.New("rename ledger: give the old name with --from and the new name with --mapping"))
	}
	if from == f.Mappings[0] {
		return exit.Usage(fmt.Errorf("rename ledger: --from and --mapping both name %q", from))
	}
	state, err := assembly.OpenState(ctx, p, f, nil)
	if err := errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	desk, isPaused := control.NewDesk(state.Store, p.Now), false
	entries, err := rename.Ledger(ctx, state.Store, rename.Options{
		From: from, Before: func(ctx context.Context) (err error) {
			// The pause is copied before the ledger exists, so that no daemon runs a pass first.
			isPaused, err = desk.TakePause(ctx, from, f.Mappings[0])
			return err
		}, Settings: assembly.SettingsOf(state.Config, state.Mappings[0]),
		Ledger: checkpoint.Options{Mapping: f.Mappings[0], Holder: assembly.Holder(), Now: p.Now, Logger: state.Logger},
	})
	misfit, isMisfit := errors.AsType[*rename.MisfitError](err)
	switch {
	case errors.Is(err, record.ErrNoCheckpoint):
		return exit.WithHint(err, ledgerHint(ctx, state.Store, from))
	case isMisfit && len(misfit.Fitting) > 0:
		return exit.WithHint(misfit, "the ledger of "+strings.Join(misfit.Fitting, " and the ledger of ")+" would fit")
	case isMisfit:
		return exit.WithHint(misfit, "no ledger in this state fits; a mapping without a ledger adopts the copies that its destination already has")
	case err != nil:
		return err
	}
	printable.Fprintf(p.Stdout, "%s has the ledger of %s: %d entries\n", f.Mappings[0], from, entries)
	if isPaused {
		printable.Fprintf(p.Stdout, "%s is paused, as %s was\n", f.Mappings[0], from)
	}
	return nil
}

// ledgerHint returns the hint for an error about a ledger that does not exist. name is the name
// that the user gave.
func ledgerHint(ctx context.Context, store store.Store, name string) string {
	names, err := record.Mappings(ctx, store)
	if err != nil || len(names) == 0 {
		return "this state has no ledgers"
	}
	return usage.OneOf(name, names)
}

func export(ctx context.Context, p invocation.Process, f invocation.Flags, form exportForm) error {
	if len(f.Mappings) != 1 {
		return exit.Usage(errors.New("export ledger: name one mapping with --mapping"))
	}
	out := bufio.NewWriter(p.Stdout)
	var write func(record.Entry) error
	switch format := form.format; {
	case format == "csv" && form.spreadsheet:
		write = csvEntries(spreadsheetRows(out))
	case format == "csv":
		write = csvEntries(rows(out))
	case format == "jsonl" && form.spreadsheet:
		return exit.Usage(errors.New("export ledger: --for-spreadsheet requires --format csv"))
	case format == "jsonl":
		encoder := json.NewEncoder(printable.JSON(out))
		encoder.SetEscapeHTML(false)
		write = func(e record.Entry) error { return encoder.Encode(lineOf(e)) }
	default:
		return usage.UnknownWord("export ledger: --format", format, []string{"csv", "jsonl"})
	}
	state, err := assembly.OpenState(ctx, p, f, nil)
	if err != nil {
		return err
	}
	for entry, err := range checkpoint.Entries(ctx, state.Store, f.Mappings[0]) {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = write(entry)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("export ledger: %w", err), out.Flush())
		}
	}
	return out.Flush()
}

// ledgerLine is an entry in JSON. Its fields have the names of the Parquet columns.
type ledgerLine struct {
	Key                  string    `json:"key"`
	SourceETag           string    `json:"source_etag"`
	SourceSize           int64     `json:"source_size"`
	SourceLastModified   time.Time `json:"source_last_modified"`
	DestinationETag      string    `json:"destination_etag"`
	DestinationVersionID string    `json:"destination_version_id"`
	KeyARN               string    `json:"key_arn"`
	BucketKey            bool      `json:"bucket_key"`
	Checksum             string    `json:"checksum"`
	CopiedAt             time.Time `json:"copied_at"`
	Pass                 int64     `json:"pass"`
}

func lineOf(e record.Entry) ledgerLine {
	return ledgerLine{
		Key: e.Key, SourceETag: e.Source.ETag, SourceSize: e.Source.Size, SourceLastModified: e.Source.LastModified,
		DestinationETag: e.DestinationETag, DestinationVersionID: e.DestinationVersionID, KeyARN: e.KeyARN,
		BucketKey: e.BucketKey, Checksum: e.Checksum, CopiedAt: e.CopiedAt, Pass: e.Pass,
	}
}

// rows writes CSV for programs: it writes each field byte for byte, and quotes a field only if CSV
// requires it.
func rows(out io.Writer) func(fields []string) error {
	w := csv.NewWriter(out)
	return func(fields []string) error {
		err := w.Write(fields)
		w.Flush()
		return errors.Join(err, w.Error())
	}
}

// spreadsheetRows writes CSV that is safe to open in a spreadsheet.
func spreadsheetRows(out io.Writer) func(fields []string) error {
	return func(fields []string) error { return printable.WriteRow(out, fields) }
}

// csvEntries writes a header and then a row per entry.
func csvEntries(row func(fields []string) error) func(record.Entry) error {
	header := []string{
		"key", "source_etag", "source_size", "source_last_modified", "destination_etag", "destination_version_id",
		"key_arn", "bucket_key", "checksum", "copied_at", "pass",
	}
	begun := false
	return func(e record.Entry) error {
		if !begun {
			if err := row(header); err != nil {
				return err
			}
			begun = true
		}
		return row([]string{
			e.Key, e.Source.ETag, strconv.FormatInt(e.Source.Size, 10), e.Source.LastModified.Format(time.RFC3339Nano),
			e.DestinationETag, e.DestinationVersionID, e.KeyARN, strconv.FormatBool(e.BucketKey), e.Checksum,
			e.CopiedAt.Format(time.RFC3339Nano), strconv.FormatInt(e.Pass, 10),
		})
	}
}
