// Package report shows what commands found: summaries of passes, plans, diagnoses and findings, for
// people or as JSON.
//
// It promises that text which others chose, such as keys, is printed in a form that cannot do harm,
// and that its JSON forms stay as docs/cli.md describes them. Pass runs one pass with its progress
// shown and its summary printed.
//
// It leaves to other packages how the results come about: syncer, preview, doctor and lint. What
// the state knows is in package status; tables and numbers as words are in package terminal.
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

// Passing is what runs passes of a mapping.
type Passing interface {
	progress.Watched
	Close() error
}

// Pass runs one pass of a mapping and shows it. An error names the mapping.
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
