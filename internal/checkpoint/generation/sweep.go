package generation

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// sweep deletes what a commit has made superfluous: manifests that are no longer kept, progress of
// committed passes, and chunks that no kept manifest names. Kept is newest first.
//
// Nothing that carries a number above the newest generation is touched: it belongs to the pass in
// progress, or to one that a later pass will resume. So a writer that lost its lease unnoticed
// never has its chunks taken away and its manifest accepted afterwards: its generation's number is
// taken, or a higher one is (see Publish). Damage that was started over from is left for people.
func sweep(ctx context.Context, store store.Store, mapping string, kept []record.Manifest) error {
	names, err := store.List(ctx, mapping+"/")
	if err != nil {
		return fmt.Errorf("list records: %w", err)
	}
	named := make(map[string]bool)
	for _, m := range kept {
		named[record.ManifestName(mapping, m.Generation)] = true
		for _, c := range m.Chunks {
			named[c.Name] = true
		}
		for _, c := range m.QuarantineChunks {
			named[c.Name] = true
		}
	}
	// Manifests go before chunks: a sweep cut short must not leave a manifest that names what is
	// gone.
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
