package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Latest returns the newest manifest that is whole, without the lease. The error
// is ErrNoCheckpoint when there is none, and joins *CorruptErrors when there are
// only damaged ones. The chunks it names are checked by those who read them.
func Latest(ctx context.Context, store Store, mapping string) (Manifest, error) {
	numbers, err := manifestNumbers(ctx, store, mapping)
	if err != nil {
		return Manifest{}, err
	}
	var damage []error
	for _, n := range numbers {
		m, err := readManifest(ctx, store, mapping, n)
		if _, isDamage := errors.AsType[*CorruptError](err); isDamage {
			damage = append(damage, err)
			continue
		}
		return m, err
	}
	if len(damage) > 0 {
		return Manifest{}, fmt.Errorf("no generation of %q is whole: %w", mapping, errors.Join(damage...))
	}
	return Manifest{}, fmt.Errorf("mapping %q in %s: %w", mapping, store, ErrNoCheckpoint)
}

// Entries yields the last committed generation's entries in key order, without
// the lease. A generation stays readable while Options.KeepGenerations newer
// ones are committed.
func Entries(ctx context.Context, store Store, mapping string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		m, err := Latest(ctx, store, mapping)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		entriesOf(readRows[entryRow](ctx, store, m.Chunks, ""))(yield)
	}
}

// Quarantine yields what the last committed generation set aside, in key order,
// without the lease.
func Quarantine(ctx context.Context, store Store, mapping string) iter.Seq2[Quarantined, error] {
	return func(yield func(Quarantined, error) bool) {
		m, err := Latest(ctx, store, mapping)
		if err != nil {
			yield(Quarantined{}, err)
			return
		}
		quarantinedOf(readRows[quarantineRow](ctx, store, m.QuarantineChunks, ""))(yield)
	}
}

// Unfinished returns how far the pass after the last generation has come, without
// the lease. Ok is false when none has saved anything, or what it saved is damaged.
func Unfinished(ctx context.Context, store Store, mapping string) (progress Progress, ok bool, err error) {
	last, err := Latest(ctx, store, mapping)
	if err != nil && !errors.Is(err, ErrNoCheckpoint) {
		return Progress{}, false, err
	}
	names, err := store.List(ctx, mapping+"/"+progressPrefix)
	if err != nil {
		return Progress{}, false, err
	}
	for _, name := range slices.Backward(names) {
		progress = Progress{}
		err := readRecord(ctx, store, name, &progress)
		if _, isDamage := errors.AsType[*CorruptError](err); isDamage {
			continue
		}
		return progress, err == nil && progress.Base == last.Generation, err
	}
	return Progress{}, false, nil
}

// findProgress returns the last progress record of the pass that want describes,
// or want when there is none that is whole, and the highest sequence number taken.
func (l *Ledger) findProgress(ctx context.Context, want Progress) (found Progress, seq int64, err error) {
	prefix := strings.TrimSuffix(progressName(want.Mapping, want.Generation, 0), fmt.Sprintf("%010d%s", 0, recordSuffix))
	names, err := l.store.List(ctx, prefix)
	if err != nil {
		return want, 0, err
	}
	for _, name := range slices.Backward(names) {
		_, n, ok := numbersIn(name, progressPrefix, recordSuffix)
		if !ok {
			continue
		}
		seq = max(seq, n)
		err := l.readProgress(ctx, name, want, &found)
		if err == nil {
			found.Holder = want.Holder
			return found, seq, nil
		}
		if _, isDamage := errors.AsType[*CorruptError](err); !isDamage {
			return want, 0, err
		}
		l.log.Warn("progress was damaged", "mapping", want.Mapping, "generation", want.Generation, "err", err)
	}
	return want, seq, nil
}

// readProgress reads a progress record and every chunk it names that is not part
// of its base, which was read before.
func (l *Ledger) readProgress(ctx context.Context, name string, want Progress, into *Progress) error {
	*into = Progress{}
	if err := readRecord(ctx, l.store, name, into); err != nil {
		return err
	}
	if into.Mapping != want.Mapping || into.Generation != want.Generation || into.Base != want.Base || len(into.Ranges) != 1 {
		return &CorruptError{Name: name, Problem: fmt.Sprintf("is not of pass %d on generation %d", want.Generation, want.Base)}
	}
	r := into.Ranges[0]
	return l.verify(ctx, r.Chunks, r.QuarantineChunks)
}

// manifestNumbers returns the numbers of a mapping's manifests, newest first.
func manifestNumbers(ctx context.Context, store Store, mapping string) ([]int64, error) {
	names, err := store.List(ctx, mapping+"/"+manifestPrefix)
	if err != nil {
		return nil, err
	}
	var numbers []int64
	for _, name := range slices.Backward(names) {
		if n, _, ok := numbersIn(name, manifestPrefix, recordSuffix); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

func readManifest(ctx context.Context, store Store, mapping string, generation int64) (Manifest, error) {
	var m Manifest
	name := manifestName(mapping, generation)
	if err := readRecord(ctx, store, name, &m); err != nil {
		return Manifest{}, err
	}
	if m.Mapping != mapping || m.Generation != generation {
		return Manifest{}, &CorruptError{Name: name, Problem: "is that of another generation"}
	}
	return m, nil
}

func entriesOf(rows iter.Seq2[entryRow, error]) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for r, err := range rows {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !yield(r.entry(), nil) {
				return
			}
		}
	}
}

func quarantinedOf(rows iter.Seq2[quarantineRow, error]) iter.Seq2[Quarantined, error] {
	return func(yield func(Quarantined, error) bool) {
		for r, err := range rows {
			if err != nil {
				yield(Quarantined{}, err)
				return
			}
			if !yield(r.quarantined(), nil) {
				return
			}
		}
	}
}
