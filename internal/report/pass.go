// Package report prints the results of commands as text or as JSON: summaries of passes, plans,
// diagnoses and findings.
//
// It escapes text that comes from outside, such as object keys, so that the text cannot harm a
// terminal or a reader. Its JSON forms are a contract: see docs/cli.md. Pass runs one pass, shows
// its progress and prints its summary.
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

// Pass runs one pass of a mapping by calling the func do, shows the progress that the parameter of
// reports, and then closes of. Unless json is true it also prints the summary. Errors contain the
// name of the mapping.
func Pass(ctx context.Context, p invocation.Process, of Passing, mapping string, json bool, do func(context.Context) (syncer.Summary, error)) (syncer.Summary, error) {
	stop := progress.Show(ctx, p.Stderr, p.Now, mapping, of)
	summary, err := do(ctx)
	stop()
	err = errors.Join(err, of.Close())
	if !json && (err == nil && summary.Pass > 0 || summary.Listed > 0) {
		Summary(p.Stdout, summary)
	}
	if err == nil {
		err = exit.OfPass(summary)
	}
	if err != nil {
		return summary, fmt.Errorf("mapping %s: %w", mapping, err)
	}
	return summary, nil
}
