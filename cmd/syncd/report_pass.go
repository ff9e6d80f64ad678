package main

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/exit"
	"syncd/internal/syncer"
	"syncd/internal/terminal/progress"
)

// passing is what runs passes of a mapping.
type passing interface {
	progress.Watched
	Close() error
}

// onePass runs one pass of a mapping and shows it. An error names the mapping.
func onePass(ctx context.Context, p process, of passing, mapping string, json bool, do func(context.Context) (syncer.Summary, error)) (syncer.Summary, error) {
	stop := progress.Show(ctx, p.stderr, p.now, mapping, of)
	summary, err := do(ctx)
	stop()
	err = errors.Join(err, of.Close())
	if !json && (err == nil && summary.Pass > 0 || summary.Listed > 0) {
		printSummary(p.stdout, summary)
	}
	if err == nil && summary.SetAside() > 0 {
		err = exit.WithHint(exit.Quarantined(summary.SetAside()), exit.QuarantineHint(summary))
	}
	if err != nil {
		return summary, fmt.Errorf("mapping %s: %w", mapping, err)
	}
	return summary, nil
}
