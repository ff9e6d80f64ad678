package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"
)

// Latest returns the newest manifest that is whole, without the lease. The error
// is ErrNoCheckpoint when there is none, and joins ErrNothingWhole and
// *CorruptErrors when there are only damaged ones. The chunks it names are
// checked by those who read them.
func Latest(ctx context.Context, store Store, mapping string) (Manifest, error) {
	m, err := latest(ctx, store, mapping)
	if err == nil && m.Pass == 0 { // a fence of nothing
		return Manifest{}, fmt.Errorf("mapping %q in %s: %w", mapping, store, ErrNoCheckpoint)
	}
	return m, err
}

// Manifests yields the manifests that are whole and still there, the newest first, without the lease.
func Manifests(ctx context.Context, store Store, mapping string) iter.Seq2[Manifest, error] {
	return func(yield func(Manifest, error) bool) {
		numbers, err := manifestNumbers(ctx, store, mapping)
		if err != nil {
			yield(Manifest{}, err)
			return
		}
		for _, n := range numbers {
			m, err := readManifest(ctx, store, mapping, n)
			if _, isDamage := errors.AsType[*CorruptError](err); isDamage || errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// Mappings returns the names of the mappings that have a manifest, be it damaged
// or not, in byte order. It lists every record of the store.
func Mappings(ctx context.Context, store Store) (mappings []string, err error) {
	names, err := store.List(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		mapping, _, _ := strings.Cut(name, "/")
		if _, _, ok := numbersIn(name, manifestPrefix, recordSuffix); ok {
			mappings = append(mappings, mapping)
		}
	}
	slices.Sort(mappings) // "a-b/" comes before "a/"
	return slices.Compact(mappings), nil
}

// vanishTries bounds how often records are listed again because one of them was
// swept before it could be read.
const vanishTries = 4

// latest returns the newest manifest, be it one that fences off the first writer.
func latest(ctx context.Context, store Store, mapping string) (m Manifest, err error) {
	for range vanishTries {
		m, err = latestOnce(ctx, store, mapping)
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return m, err
}

func latestOnce(ctx context.Context, store Store, mapping string) (Manifest, error) {
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
		return Manifest{}, fmt.Errorf("mapping %q in %s: %w: %w", mapping, store, ErrNothingWhole, errors.Join(damage...))
	}
	return Manifest{}, fmt.Errorf("mapping %q in %s: %w", mapping, store, ErrNoCheckpoint)
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
