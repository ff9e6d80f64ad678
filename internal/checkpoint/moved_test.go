package checkpoint_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/store"
	"syncd/internal/checkpoint/store/s3/s3test"
)

// toFolder copies everything under the state's prefix into dir, with or without the locks. toState
// copies it back.
func toFolder(t *testing.T, s *s3test.State, dir string, locks bool) {
	t.Helper()
	for _, key := range s.Bucket.Keys() {
		name, ok := strings.CutPrefix(key, s3test.Prefix)
		if !ok || !locks && strings.HasSuffix(name, "/lock") {
			continue
		}
		data, err := s.Bucket.Read(key)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func toState(t *testing.T, s *s3test.State, dir string, locks bool) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !locks && d.Name() == "lock" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		s.Bucket.Put(s3test.Prefix+filepath.ToSlash(name), awsfake.BytesBody(data), awsfake.PutOptions{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestLedgerIsMoved moves a ledger from S3 to a folder, back to S3, and to the folder again, each
// time during a pass. It checks that each store continues where the other stopped, and that settled
// keys stay settled.
func TestLedgerIsMoved(t *testing.T) {
	for name, locks := range map[string]bool{"with its locks": true, "without": false} {
		t.Run(name, func(t *testing.T) {
			s, dir := s3test.New(), t.TempDir()
			inS3, inFolder := store.Store(s.Store(nil)), store.Store(openFile(t, dir))
			// work commits a generation, and leaves a pass that has settled one more key.
			work := func(store store.Store, version string, keys ...string) {
				ledger, err := checkpoint.Open(t.Context(), store, options())
				if err != nil {
					t.Fatalf("version %s in %s: %v", version, store, err)
				}
				pass := begin(t, ledger)
				if want := version != "1"; pass.Resumed() != want {
					t.Errorf("version %s: resumed is %t, want keys settled in the other store to stay settled", version, pass.Resumed())
				}
				for _, e := range collect(t, pass.Previous(t.Context())) {
					reserve(t, pass, e.Key).Carry(e)
				}
				for _, key := range keys {
					reserve(t, pass, key).Record(entry(key, version))
				}
				commit(t, pass)
				pass = begin(t, ledger)
				reserve(t, pass, "a").Record(entry("a", version))
				if err := pass.Abandon(t.Context()); err != nil {
					t.Fatal(err)
				}
				if err := ledger.Close(); err != nil {
					t.Fatal(err)
				}
			}
			work(inS3, "1", "b")
			work(inS3, "2", "c")
			toFolder(t, s, dir, locks)
			work(inFolder, "3", "d")
			work(inFolder, "4", "e")
			toState(t, s, dir, locks)
			work(inS3, "5", "f")
			toFolder(t, s, dir, locks)
			work(inFolder, "6", "g")
			want := map[string]string{"a": "5", "b": "1", "c": "2", "d": "3", "e": "4", "f": "5", "g": "6"}
			if got := etags(t, inFolder); len(got) != len(want) || got["a"] != want["a"] || got["g"] != want["g"] {
				t.Errorf("got %v at the end, want %v", got, want)
			}
		})
	}
}
