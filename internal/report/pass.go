// Package report prints the results of commands as text or as JSON: summaries of passes, plans,
// diagnoses and findings.
//
// It promises that text which others chose, such as keys, is printed in a form that can do no harm,
// and that its JSON forms stay as docs/cli.md describes them. Pass runs one pass, shows its
// progress and prints its summary.
//
// The results come from other packages: syncer, preview, doctor and lint. Package status prints the
// state of mappings, and package terminal formats tables and numbers.
package report

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/exit"
	"syncd/internal/invocation"
	"syncd/internal/syncer"
	"syncd/internal/terminal/progress"
)

// Passing runs the passes of a mapping.
type Passing interface {
	progress.Watched
	Close() error
}

// Pass runs one pass of a mapping with do, shows its progress and prints its summary. An error
// names the mapping.
func Pass(ctx context.Context, p invocation.Process, of Passing, mapping string, json bool, do func(context.Context) (syncer.Summary, error)) (syncer.Summary, error) {
	stop := progress.Show(ctx, p.Stderr, p.Now, mapping, of)
	summary, err := do(ctx)
	stop()
	err = errors.Join(err, of.Close())
	if !json && (err == nil && summary.Pass > 0 || summary.Listed > 0) {
		Summary(p.Stdout, summary)
	}
	if err == nil && summary.SetAside() > 0 {
		err = exit.WithHint(exit.Quarantined(summary.SetAside()), exit.QuarantineHint(summary))
	}
	if err != nil {
		return summary, fmt.Errorf("mapping %s: %w", mapping, err)
	}
	return summary, nil
}
