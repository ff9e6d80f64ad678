package generation

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// sweep deletes the records that a commit has made obsolete: manifests that are not retained,
// progress of committed passes, and chunks that no retained manifest names. The parameter kept
// lists the retained manifests, newest first.
//
// It keeps every record with a number above that of the newest generation: such a record belongs to
// the pass in progress, or to a pass that a later pass will resume. Chunks of a writer that
// unknowingly lost its lease are deleted only when the writer's generation number or a higher
// number is taken. Publish then rejects the writer's manifest, so no accepted manifest names
// deleted chunks. Damaged records from before the ledger was started over are kept for operators to
// inspect.
func sweep(ctx context.Context, store store.Store, mapping string, kept []record.Manifest) error {
	names, err := store.List(ctx, mapping+"/")
	if err != nil {
		return fmt.Errorf("list records: %w", err)
	}
	named := make(map[string]bool)
	for _, m := range kept {
		named[record.ManifestName(mapping, m.Generation)] = true
		for _, c := range record.ChunksOf(m.Runs, m.QuarantineRuns) {
			named[c.Name] = true
		}
	}
	// Delete manifests before chunks: an interrupted sweep must not leave a manifest that names
	// deleted chunks.
	var errs []error
	for _, kind := range []struct{ prefix, suffix string }{
		{record.ManifestPrefix, record.Suffix},
		{record.ProgressPrefix, record.Suffix},
		{record.ChunkPrefix, record.ChunkSuffix},
		{record.QuarantinePrefix, record.ChunkSuffix},
	} {
		for _, name := range names {
			generation, _, ok := record.NumbersIn(name, kind.prefix, kind.suffix)
			if !ok || generation > kept[0].Generation || generation <= kept[0].StartedOver || named[name] {
				continue
			}
			if err := store.Delete(ctx, name); err != nil {
				errs = append(errs, fmt.Errorf("delete %s: %w", name, err))
			}
		}
		if len(errs) > 0 {
			break
		}
	}
	return errors.Join(errs...)
}
