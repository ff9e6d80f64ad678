package checkpoint

import (
	"context"
	"fmt"
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
)

// MergeSaved merges runs that the pass has saved, if many of about the same size have accumulated.
// It can take minutes, but saves and claims continue meanwhile. The next save names the merged runs.
// If ctx ends, MergeSaved returns ctx.Err() and nothing is lost. Only one call at a time merges;
// other calls return nil at once.
func (p *saving) MergeSaved(ctx context.Context) error {
	if !p.merging.TryTake() {
		return nil
	}
	defer p.merging.Give()
	isFirst := len(p.saver.base.Runs) == 0
	err := mergeSaved[chunk.EntryRow](ctx, p, record.ChunkPrefix, isFirst, func(of *record.Progress) *[]record.Run { return &of.Runs })
	if err != nil {
		return err
	}
	isFirst = len(p.saver.base.QuarantineRuns) == 0
	return mergeSaved[chunk.QuarantineRow](ctx, p, record.QuarantinePrefix, isFirst, func(of *record.Progress) *[]record.Run { return &of.QuarantineRuns })
}

// mergeSaved merges until no more runs are due. If isFirst is true, no generation has older rows.
func mergeSaved[R chunk.Row](ctx context.Context, p *saving, prefix string, isFirst bool, runsOf func(*record.Progress) *[]record.Run) error {
	for {
		var runs []record.Run
		if err := p.inTurn(ctx, func() error { runs = *runsOf(&p.saver.progress); return nil }); err != nil {
			return err
		}
		start, ok := chunk.Due(runs)
		if !ok {
			return nil
		}
		merged, err := chunk.Merge[R](ctx, &p.saver.merger, prefix, runs[start:], isFirst && start == 0)
		if err != nil {
			return fmt.Errorf("merge %d saves of pass %d: %w", len(runs)-start, p.number, err)
		}
		err = p.inTurn(ctx, func() error {
			now := runsOf(&p.saver.progress)
			*now = slices.Concat(runs[:start], []record.Run{merged}, (*now)[len(runs):])
			return nil
		})
		if err != nil {
			return err
		}
	}
}
