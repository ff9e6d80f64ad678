package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"syncd/internal/checkpoint/store"
)

// Latest returns the newest intact manifest. It does not need the lease. If the mapping has no
// manifest, the error wraps ErrNoCheckpoint. If all manifests are damaged, the error wraps
// ErrNothingWhole and the *store.CorruptErrors. Latest does not check the chunks; each chunk is
// checked when it is read.
func Latest(ctx context.Context, store store.Store, mapping string) (Manifest, error) {
	m, err := Newest(ctx, store, mapping)
	if err == nil && m.Pass == 0 { // a fence that repeats no generation
		return Manifest{}, fmt.Errorf("mapping %q in %s: %w", mapping, store, ErrNoCheckpoint)
	}
	return m, err
}

// Manifests yields the intact manifests, newest first. It does not need the lease.
func Manifests(ctx context.Context, from store.Store, mapping string) iter.Seq2[Manifest, error] {
	return func(yield func(Manifest, error) bool) {
		numbers, err := ManifestNumbers(ctx, from, mapping)
		if err != nil {
			yield(Manifest{}, err)
			return
		}
		for _, n := range numbers {
			m, err := ReadManifest(ctx, from, mapping, n)
			if _, isDamage := errors.AsType[*store.CorruptError](err); isDamage || errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

// Mappings returns the names of the mappings that have a manifest, damaged or not, in byte order.
// It lists every record in the store.
func Mappings(ctx context.Context, store store.Store) (mappings []string, err error) {
	names, err := store.List(ctx, "")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		mapping, _, _ := strings.Cut(name, "/")
		if _, _, ok := NumbersIn(name, ManifestPrefix, Suffix); ok {
			mappings = append(mappings, mapping)
		}
	}
	slices.Sort(mappings) // in a listing "a-b/" comes before "a/", but "a" must come before "a-b"
	return slices.Compact(mappings), nil
}

// VanishTries limits how often records are listed again because a listed record was deleted before
// it was read.
const VanishTries = 4

// Newest returns the newest manifest. It may be a fence that repeats no generation.
func Newest(ctx context.Context, store store.Store, mapping string) (m Manifest, err error) {
	for range VanishTries {
		m, err = latestOnce(ctx, store, mapping)
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return m, err
}

func latestOnce(ctx context.Context, from store.Store, mapping string) (Manifest, error) {
	numbers, err := ManifestNumbers(ctx, from, mapping)
	if err != nil {
		return Manifest{}, err
	}
	var damage []error
	for _, n := range numbers {
		m, err := ReadManifest(ctx, from, mapping, n)
		if _, isDamage := errors.AsType[*store.CorruptError](err); isDamage {
			damage = append(damage, err)
			continue
		}
		return m, err
	}
	if len(damage) > 0 {
		return Manifest{}, fmt.Errorf("mapping %q in %s: %w: %w", mapping, from, ErrNothingWhole, errors.Join(damage...))
	}
	return Manifest{}, fmt.Errorf("mapping %q in %s: %w", mapping, from, ErrNoCheckpoint)
}

// ManifestNumbers returns the numbers of a mapping's manifests, newest first.
func ManifestNumbers(ctx context.Context, store store.Store, mapping string) ([]int64, error) {
	names, err := store.List(ctx, mapping+"/"+ManifestPrefix)
	if err != nil {
		return nil, err
	}
	var numbers []int64
	for _, name := range slices.Backward(names) {
		if n, _, ok := NumbersIn(name, ManifestPrefix, Suffix); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// ReadManifest returns the manifest of a generation. If there is no such manifest, the error wraps
// fs.ErrNotExist.
func ReadManifest(ctx context.Context, from store.Store, mapping string, generation int64) (Manifest, error) {
	var m Manifest
	name := ManifestName(mapping, generation)
	if err := store.ReadSealed(ctx, from, name, &m); err != nil {
		return Manifest{}, err
	}
	if m.Mapping != mapping || m.Generation != generation {
		return Manifest{}, &store.CorruptError{Name: name, Problem: "is the manifest of another generation"}
	}
	return m, nil
}
