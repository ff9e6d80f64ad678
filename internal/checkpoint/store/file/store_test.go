package file_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	filestore "syncd/internal/checkpoint/store/file"
)

func TestFileFulfillsTheContract(t *testing.T) {
	t.Parallel()
	checkpointtest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		return openFile(t, filepath.Join(t.TempDir(), "[a]", "state"))
	})
}

func createFile(t *testing.T, store store.Store, name string) {
	t.Helper()
	err := store.Create(t.Context(), name, func(w io.Writer) error {
		_, err := io.WriteString(w, "content")
		return err
	})
	if err != nil {
		t.Fatalf("create %s: %v", name, err)
	}
}

func TestOpenFileLeavesNoTrace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	store := openFile(t, dir)
	if _, err := record.Latest(t.Context(), store, "alpha"); !errors.Is(err, record.ErrNoCheckpoint) {
		t.Errorf("latest: got %v, want %v", err, record.ErrNoCheckpoint)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat: got %v, want %v", err, fs.ErrNotExist)
	}
}

func TestOpenFileRefuses(t *testing.T) {
	t.Parallel()
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "file")
		writeFile(t, path, "")
		if _, err := filestore.Open(path); err == nil {
			t.Error("got no error for a file in place of the folder")
		}
	})
	for version, sum := range map[int]string{ // printf '{"version":1}' | sha256sum
		1: "2430f1a2ad2982d0067885488a4c89e21ad1d7c83b115ba8f1b20acc88dfaea8",
		3: "9af23cea10a478f3bb916ff35c07a36debe444adf9b56814ab63861ec674ab8b",
	} {
		t.Run(fmt.Sprintf("format %d", version), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "format.json"), fmt.Sprintf(`{"sha256":%q,"record":{"version":%d}}`+"\n", sum, version))
			_, err := filestore.Open(dir)
			if got, ok := errors.AsType[*store.VersionError](err); !ok || got.Version != version || got.Known != 2 {
				t.Errorf("got %v, want a VersionError of %d, not 2", err, version)
			}
		})
	}
	t.Run("a damaged format record", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		createFile(t, openFile(t, dir), "alpha/record")
		writeFile(t, filepath.Join(dir, "format.json"), "{}")
		_, err := filestore.Open(dir)
		if _, ok := errors.AsType[*store.CorruptError](err); !ok {
			t.Errorf("got %v, want a CorruptError", err)
		}
	})
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFileModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	store := openFile(t, dir)
	lease, err := store.Acquire(t.Context(), "alpha", "me")
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	t.Cleanup(func() { _ = lease.Release() })
	createFile(t, store, "alpha/record")
	for path, want := range map[string]fs.FileMode{
		"": 0o700, "alpha": 0o700, "alpha/record": 0o600, "alpha/lock": 0o600, "format.json": 0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("mode of %q: got %v, %v, want %v", path, info.Mode().Perm(), err, want)
		}
	}
}

func TestAcquireSweepsIncompleteRecords(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := openFile(t, dir)
	createFile(t, store, "alpha/record")
	left := filepath.Join(dir, "alpha", ".tmp-123")
	writeFile(t, left, "half")
	if names, err := store.List(t.Context(), "alpha/"); err != nil || len(names) != 1 {
		t.Errorf("list: got %q, %v, want only the complete record", names, err)
	}
	lease, err := store.Acquire(t.Context(), "alpha", "me")
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	t.Cleanup(func() { _ = lease.Release() })
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("incomplete record: got %v, want it deleted", err)
	}
}

func TestLeaseIsLostWithItsFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from := openFile(t, dir)
	lease, err := from.Acquire(t.Context(), "alpha", "me")
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	t.Cleanup(func() { _ = lease.Release() })
	for _, what := range []string{"removed", "replaced"} {
		lock := filepath.Join(dir, "alpha", "lock")
		if err := os.Remove(lock); err != nil {
			t.Fatal(err)
		}
		if what == "replaced" {
			writeFile(t, lock, "")
		}
		if err := lease.Held(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("lock file %s: got %v, want %v", what, err, store.ErrLeaseLost)
		}
		writeFile(t, lock, "")
	}
}

func openFile(t *testing.T, dir string) *filestore.Store {
	t.Helper()
	store, err := filestore.Open(dir)
	if err != nil {
		t.Fatalf("open folder: %v", err)
	}
	return store
}
