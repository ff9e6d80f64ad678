// Package secretfile writes files that only their owner may read, such as policies with ExternalIds
// in them.
//
// It promises that a file is replaced as a whole, whatever its mode was, and that a link is
// replaced and not followed. Of several files either all are replaced, or none is where that can be
// known before the first.
//
// It leaves to its callers what the files hold. It prints the name of each File that it has
// written.
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

// File is a file that may hold ExternalIds.
type File struct {
	Path string
	Text []byte
}

// WriteFolder writes files into a folder, and names them.
func WriteFolder(w io.Writer, folder string, rendered []policy.Rendered) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make folder for policies: %w", err)
	}
	files := make([]File, len(rendered))
	for i, f := range rendered {
		files[i] = File{filepath.Join(folder, f.Name), f.Text}
	}
	return Write(w, files)
}

// Write writes files that only their owner may read, and names them. All are written under other
// names first: a file that is there is replaced as a whole, whatever its mode, and a link by that
// name is replaced, not followed. What can be known to fail fails before the first is replaced, and
// then all are as they were. What fails between two (the folder is made read-only, or the machine
// stops) leaves some of them new and some old, each whole.
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

// checkReplaceable refuses a name that a folder has: no file takes its place.
func checkReplaceable(files []File) error {
	for _, f := range files {
		info, err := os.Lstat(f.Path)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("write policy: %w", err)
		}
		if err == nil && info.IsDir() {
			return fmt.Errorf("write policy: %s is a folder; remove it, or write elsewhere with -o", f.Path)
		}
	}
	return nil
}

// writeTemporary writes a file under an unused name in the folder where it belongs, and returns the
// name.
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
