// Package secretfile writes files that only their owner can read, such as policies with
// ExternalIds.
//
// It replaces each file atomically. The new file has mode 0600, whatever the mode of the old file
// was. A symbolic link is replaced, not followed. All files are checked before the first one is
// replaced, so that a predictable failure leaves every file unchanged.
//
// The package prints the name of each File that it has written. The callers choose the contents.
package secretfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"syncd/internal/access/policy"
	"syncd/internal/printable"
)

// File is a file that may contain ExternalIds.
type File struct {
	Path string
	Text []byte
}

// WriteFolder writes files into a folder, which it creates if needed, and prints their names to w.
func WriteFolder(w io.Writer, folder string, rendered []policy.Rendered) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("create folder for policies: %w", err)
	}
	files := make([]File, len(rendered))
	for i, f := range rendered {
		files[i] = File{filepath.Join(folder, f.Name), f.Text}
	}
	return Write(w, files)
}

// Write writes files that only their owner can read, and prints their names to w. It first writes
// all of them under temporary names, then renames them. An existing file is replaced, whatever its
// mode, and a symbolic link is replaced, not followed. A failure before the first rename leaves all
// files unchanged. A failure between two renames, for example because the folder becomes read-only
// or the machine stops, leaves some files new and some old. Every file is then still complete.
func Write(w io.Writer, files []File) (err error) {
	temporary := make([]string, 0, len(files))
	defer func() {
		for _, name := range temporary {
			err = errors.Join(err, removeIfThere(name))
		}
	}()
	for _, f := range files {
		name, err := writeTemporary(f)
		if name != "" {
			temporary = append(temporary, name)
		}
		if err != nil {
			return fmt.Errorf("write policy: %w", err)
		}
	}
	if err := checkReplaceable(files); err != nil {
		return err
	}
	for i, f := range files {
		if err := os.Rename(temporary[i], f.Path); err != nil {
			return fmt.Errorf("write policy: %w", err)
		}
	}
	for _, f := range files {
		if _, err := printable.Fprintln(w, strings.TrimPrefix(f.Path, "./")); err != nil {
			return err
		}
	}
	return nil
}

// checkReplaceable returns an error if one of the names is a folder, which a file cannot replace.
func checkReplaceable(files []File) error {
	for _, f := range files {
		info, err := os.Lstat(f.Path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("write policy: %w", err)
		}
		if err == nil && info.IsDir() {
			return fmt.Errorf("write policy: %s is a folder; remove it, or choose another name with -o", f.Path)
		}
	}
	return nil
}

// writeTemporary writes a file under a temporary name in its folder, and returns that name.
func writeTemporary(f File) (name string, err error) {
	file, err := os.CreateTemp(filepath.Dir(f.Path), ".syncd-policy-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = file.Write(f.Text)
	if err == nil {
		err = file.Sync()
	}
	return file.Name(), errors.Join(err, file.Close())
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove temporary file: %w", err)
	}
	return nil
}
