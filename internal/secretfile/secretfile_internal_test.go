package secretfile

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// lookAt checks that a file has the text and mode 0600, and that its folder contains only the named
// other files.
func lookAt(t *testing.T, path, text string, others ...string) {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("%s: got mode %v, want a file of mode 0600", path, info.Mode())
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("%s: got %q, %v, want %q", path, got, err, text)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1+len(others) {
		t.Errorf("%s: got %v, %v next to it, want %q", path, entries, err, others)
	}
}

// TestPolicyFilesAreSecret checks that only the owner can read a written file, whatever existed
// under its name before, because policy files may contain ExternalIds.
func TestPolicyFilesAreSecret(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, path string) []string{
		"new": func(*testing.T, string) []string { return nil },
		"readable by all": func(t *testing.T, path string) []string {
			t.Helper()
			writeTextAt(t, path, "longer than what comes in its place", 0o644)
			return nil
		},
		"not to be written": func(t *testing.T, path string) []string {
			t.Helper()
			writeTextAt(t, path, "old", 0o400)
			return nil
		},
		"a link to a file": func(t *testing.T, path string) []string {
			t.Helper()
			target := filepath.Join(filepath.Dir(path), "target")
			writeTextAt(t, target, "not to be touched", 0o644)
			if err := os.Symlink(target, path); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if text, err := os.ReadFile(target); err != nil || string(text) != "not to be touched" {
					t.Errorf("got %q, %v in the target of the link, want it unchanged", text, err)
				}
			})
			return []string{"target"}
		},
		"a link to nowhere": func(t *testing.T, path string) []string {
			t.Helper()
			if err := os.Symlink(filepath.Join(filepath.Dir(path), "nowhere"), path); err != nil {
				t.Fatal(err)
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "policies.json")
			others := prepare(t, path)
			var stdout bytes.Buffer
			if err := Write(&stdout, []File{{path, []byte("secret")}}); err != nil {
				t.Fatal(err)
			}
			lookAt(t, path, "secret", others...)
			if stdout.String() != path+"\n" {
				t.Errorf("got %q, want the name of the file", stdout.String())
			}
		})
	}
}

// TestPolicyFilesAreWrittenWholeOrNot checks that a failed write leaves the existing files
// unchanged, and leaves no partial file.
func TestPolicyFilesAreWrittenWholeOrNot(t *testing.T) {
	dir := t.TempDir()
	first, folder := filepath.Join(dir, "first.json"), filepath.Join(dir, "folder.json")
	writeTextAt(t, first, "old", 0o600)
	var stdout bytes.Buffer
	err := Write(&stdout, []File{{first, []byte("new")}, {filepath.Join(dir, "absent", "x.json"), []byte("new")}})
	if !errors.Is(err, fs.ErrNotExist) || stdout.Len() > 0 {
		t.Errorf("got %v and %q, want an error and no names", err, stdout.String())
	}
	lookAt(t, first, "old")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	err = Write(&stdout, []File{{first, []byte("new")}, {folder, []byte("new")}})
	if err == nil || !strings.Contains(err.Error(), "folder.json is a folder") {
		t.Errorf("over a folder: got %v, want an error", err)
	}
	lookAt(t, first, "old", "folder.json")
}

func writeTextAt(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
