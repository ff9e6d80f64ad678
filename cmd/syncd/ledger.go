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
	"time"

	"github.com/spf13/cobra"

	"syncd/internal/checkpoint"
	"syncd/internal/syncer"
)

func ledgerCommand(p process) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Export a ledger, or give it to a renamed mapping",
		Example: "  syncd ledger export --config syncd.yaml --mapping alice-to-bob\n" +
			"  syncd ledger rename --config syncd.yaml --from alice-to-bob --mapping exports",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(exportCommand(p), renameCommand(p))
	return cmd
}

func exportCommand(p process) *cobra.Command {
	var f flags
	var format string
	cmd := &cobra.Command{
		Use:   "export --config FILE --mapping NAME [--format csv|jsonl]",
		Short: "Write the last generation's entries as CSV or JSON lines",
		Long: `export writes the entries of the last committed generation to standard output, in key order: which source version was
copied to which destination version under which key. It takes no lease and can run beside the daemon. The columns are those of
docs/checkpoint-format.md.

` + exitCodes,
		Example: "  syncd ledger export --config syncd.yaml --mapping alice-to-bob --format csv > ledger.csv",
		RunE:    func(cmd *cobra.Command, _ []string) error { return export(cmd.Context(), p, f, format) },
	}
	addFlags(cmd, &f)
	cmd.Flags().StringVar(&format, "format", "jsonl", "`csv` or jsonl")
	return cmd
}

func renameCommand(p process) *cobra.Command {
	var f flags
	var from string
	cmd := &cobra.Command{
		Use:   "rename --config FILE --from OLD --mapping NEW",
		Short: "Give a renamed mapping its former ledger",
		Long: `rename copies the ledger of a mapping's former name to the mapping, which must have none yet, so that nothing is
looked up or copied again. The former ledger stays as it is; remove it when you no longer want it.

` + exitCodes,
		Example: "  syncd ledger rename --config syncd.yaml --from alice-to-bob --mapping exports",
		RunE:    func(cmd *cobra.Command, _ []string) error { return rename(cmd.Context(), p, f, from) },
	}
	addFlags(cmd, &f)
	cmd.Flags().StringVar(&from, "from", "", "the `NAME` that the mapping had (required)")
	return cmd
}

func rename(ctx context.Context, p process, f flags, from string) error {
	if len(f.mappings) != 1 || from == "" {
		return &usageError{errors.New("rename ledger: name the former mapping with --from and the present one with --mapping")}
	}
	state, err := openState(ctx, p, f, nil)
	if err != nil {
		return err
	}
	entries, err := syncer.Rename(ctx, state.store, from, checkpoint.Options{
		Mapping: f.mappings[0], Holder: holder(), Now: p.now, Logger: state.logger,
	})
	if errors.Is(err, checkpoint.ErrNoCheckpoint) {
		return &hinted{err, "run `syncd status` with the former configuration to see the names there are"}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(p.stdout, "%s has the ledger of %s: %d entries\n", f.mappings[0], from, entries)
	return nil
}

func export(ctx context.Context, p process, f flags, format string) error {
	if len(f.mappings) != 1 {
		return &usageError{errors.New("export ledger: name one mapping with --mapping")}
	}
	out := bufio.NewWriter(p.stdout)
	var write func(checkpoint.Entry) error
	switch format {
	case "csv":
		write = csvEntries(out)
	case "jsonl":
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		write = func(e checkpoint.Entry) error { return encoder.Encode(lineOf(e)) }
	default:
		return &usageError{fmt.Errorf("export ledger: --format %q is not csv or jsonl", format)}
	}
	state, err := openState(ctx, p, f, nil)
	if err != nil {
		return err
	}
	for entry, err := range checkpoint.Entries(ctx, state.store, f.mappings[0]) {
		if err == nil {
			err = write(entry)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("export ledger: %w", err), out.Flush())
		}
	}
	return out.Flush()
}

// ledgerLine is an entry in JSON; the names are those of the Parquet columns.
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

func lineOf(e checkpoint.Entry) ledgerLine {
	return ledgerLine{
		Key: e.Key, SourceETag: e.Source.ETag, SourceSize: e.Source.Size, SourceLastModified: e.Source.LastModified,
		DestinationETag: e.DestinationETag, DestinationVersionID: e.DestinationVersionID, KeyARN: e.KeyARN,
		BucketKey: e.BucketKey, Checksum: e.Checksum, CopiedAt: e.CopiedAt, Pass: e.Pass,
	}
}

// csvEntries writes a header and then a row per entry.
func csvEntries(out io.Writer) func(checkpoint.Entry) error {
	header := []string{
		"key", "source_etag", "source_size", "source_last_modified", "destination_etag", "destination_version_id",
		"key_arn", "bucket_key", "checksum", "copied_at", "pass",
	}
	w, begun := csv.NewWriter(out), false
	row := func(fields []string) error {
		err := w.Write(fields)
		w.Flush()
		return errors.Join(err, w.Error())
	}
	return func(e checkpoint.Entry) error {
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
