package checkpoint_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/checkpoint/store/s3/s3test"
)

// medium is a store whose bytes a test can change.
type medium struct {
	store store.Store
	read  func(name string) ([]byte, error)
	write func(name string, data []byte) error
	step  int // distance between flipped bytes
}

var (
	everyByte    = flag.Bool("every-byte", false, "flip every byte of the records, not one in about twelve")
	everyRequest = flag.Bool("every-request", false, "have every request fail, not each ninth one")
)

func stride(usual int) int {
	if *everyByte {
		return 1
	}
	return usual
}

func media(t *testing.T) map[string]medium {
	t.Helper()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	s := s3test.New()
	return map[string]medium{
		"file": {
			store: openFile(t, dir), step: stride(13),
			read:  func(name string) ([]byte, error) { return os.ReadFile(path(name)) },
			write: func(name string, data []byte) error { return os.WriteFile(path(name), data, 0o600) },
		},
		"s3": {
			store: s.Store(nil), step: stride(11),
			read: func(name string) ([]byte, error) { return s.Bucket.Read(s3test.Prefix + name) },
			write: func(name string, data []byte) error {
				s.Bucket.Put(s3test.Prefix+name, awsfake.BytesBody(data), awsfake.PutOptions{})
				return nil
			},
		},
	}
}

// TestEveryFlippedByteIsFound flips one bit in each tested byte of every record of the last
// generation and of the pass after it. It checks that reading the record finds the damage.
func TestEveryFlippedByteIsFound(t *testing.T) {
	t.Parallel()
	for name, m := range media(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, m.store)
			ledger := openLedger(t, m.store, options())
			unfinished := begin(t, ledger)
			for i := range 3 {
				reserve(t, unfinished, key(i)).Record(entry(key(i), "3"))
			}
			uploadBegan(t, reserve(t, unfinished, key(3)), smallUpload(key(3), "upload"))
			flush(t, unfinished)
			if err := ledger.Close(); err != nil {
				t.Fatal(err)
			}
			manifest, err := record.Latest(t.Context(), m.store, mapping)
			if err != nil {
				t.Fatal(err)
			}
			names, err := m.store.List(t.Context(), mapping+"/")
			if err != nil {
				t.Fatal(err)
			}
			flipped := 0
			for _, name := range names {
				isFound := finderOf(t, m.store, &manifest, name)
				if isFound == nil {
					continue
				}
				whole, err := m.read(name)
				if err != nil {
					t.Fatal(err)
				}
				for at := 0; at < len(whole); at += m.step {
					damaged := slices.Clone(whole)
					damaged[at] ^= 1 << (at % 8)
					if err := m.write(name, damaged); err != nil {
						t.Fatal(err)
					}
					if !isFound() {
						t.Errorf("%s: flipped byte %d was not found", name, at)
					}
					flipped++
				}
				if err := m.write(name, whole); err != nil || isFound() {
					t.Fatalf("%s: restored: %v, but damage was found", name, err)
				}
			}
			if want := 6000 / m.step; flipped < want {
				t.Errorf("flipped %d bytes, want at least %d", flipped, want)
			}
		})
	}
}

// finderOf returns a function that reports whether damage to a record is found when the record is
// read. It returns nil for a record that is read only after a fallback.
func finderOf(t *testing.T, from store.Store, last *record.Manifest, name string) func() bool {
	t.Helper()
	isCorrupt := func(err error) bool {
		_, ok := errors.AsType[*store.CorruptError](err)
		return ok
	}
	isNamed := func(c record.Chunk) bool { return c.Name == name }
	switch {
	case strings.Contains(name, "/manifest-0000000002"):
		return func() bool {
			m, err := record.Latest(t.Context(), from, mapping)
			return err == nil && m.Generation == 1
		}
	case strings.Contains(name, "/progress-"):
		return func() bool {
			_, ok, err := record.Unfinished(t.Context(), from, mapping)
			return err == nil && !ok
		}
	case slices.ContainsFunc(record.ChunksOf(last.Runs), isNamed):
		return func() bool { return isCorrupt(lastError(checkpoint.Entries(t.Context(), from, mapping))) }
	case slices.ContainsFunc(record.ChunksOf(last.QuarantineRuns), isNamed):
		return func() bool { return isCorrupt(lastError(checkpoint.Quarantine(t.Context(), from, mapping))) }
	// With Options.Full the pass is not resumed if this chunk of the pass is damaged.
	case strings.Contains(name, "/chunk-0000000003"):
		return func() bool {
			o := options()
			o.Full = true
			ledger, err := checkpoint.Open(t.Context(), from, o)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = ledger.Close() }()
			pass := begin(t, ledger)
			if left := ids(pass.LeftUploads()); !slices.Equal(left, []string{"upload"}) {
				t.Errorf("left uploads: got %q, want the upload in the intact record", left)
			}
			return !pass.Resumed()
		}
	default:
		return nil
	}
}

func lastError[V any](seq func(func(V, error) bool)) (last error) {
	for _, err := range seq {
		last = err
	}
	return last
}
