// Package file is a store of checkpoints in a folder.
//
// A record is a file that is written under a temporary name, synced and linked to its own name, so
// that it is whole or absent after any crash. The lease is a lock of the operating system on a
// file, which ends with its process. The package promises that nobody but the user of this process
// (or root) can change what is in the folder: a folder, a way to it or a file that others could
// change is refused.
//
// It leaves to its caller which folder that is. The words: the folder is where the records are; a
// holder note is what the lock file says about the process that holds the lock.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"syncd/internal/checkpoint/store"
)

// tempPrefix begins the names of records being written; no record's name begins with a dot.
const tempPrefix = ".tmp-"

// Store is a store in a folder. A record is a file: written under a temporary name, synced, and
// linked to its own name, which fails when that is taken; then the folder is synced. The lease is
// flock(2) on a file called lock, so the system gives it back when its process ends, however it
// ends. Folders have mode 0700 and files 0600. A folder that other users may write to or replace is
// refused, and so are records that are links or no files. It must lie on a file system that honours
// fsync and, when several machines share it, locks.
type Store struct {
	dir        string
	publishing sync.Mutex // only where the file system knows no links
}

var _ store.Store = (*Store)(nil)

// Open returns the store in dir. An absent folder is created with the first write, so that looking
// leaves no trace. A folder that a later format was written to is refused with a *VersionError.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	if err := checkFolder(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	f := &Store{dir: dir}
	if err := f.checkFormat(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open folder %s: %w", dir, err)
	}
	return f, nil
}

// String returns "file:" and the folder.
func (f *Store) String() string { return "file:" + f.dir }

func (f *Store) checkFormat() error {
	data, err := readOwn(filepath.Join(f.dir, store.FormatName))
	if err != nil {
		return err
	}
	return store.CheckFormat(data)
}

// prepare makes the folder a store before something is written to it. It looks at the folder again,
// which somebody may have made, or opened to others, since Open did.
func (f *Store) prepare() error {
	if err := checkFolder(f.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeFolder(f.dir); err != nil {
		return err
	}
	if err := checkFolder(f.dir); err != nil {
		return err
	}
	err := f.checkFormat()
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	data, err := store.SealFormat()
	if err != nil {
		return err
	}
	err = f.create(filepath.Join(f.dir, store.FormatName), func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if errors.Is(err, fs.ErrExist) {
		return f.checkFormat() // another process was first
	}
	return err
}

// path returns where the record of that name lies.
func (f *Store) path(name string) (string, error) {
	if err := store.CheckName(name); err != nil {
		return "", err
	}
	return filepath.Join(f.dir, filepath.FromSlash(name)), nil
}

// Read returns a whole record.
func (f *Store) Read(ctx context.Context, name string) ([]byte, error) {
	path, err := f.path(name)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	data, err := readOwn(path)
	if err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	return data, nil
}

// Open opens a record.
func (f *Store) Open(ctx context.Context, name string) (store.Record, error) {
	path, err := f.path(name)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return nil, err
	}
	file, size, err := openOwn(path)
	if err != nil {
		return nil, fmt.Errorf("open record: %w", err)
	}
	return &fileChunk{file, size}, nil
}

// fileChunk is an open record of a folder. What is read of it the system keeps in memory that it
// can take back.
type fileChunk struct {
	*os.File
	size int64
}

func (c *fileChunk) Size() int64          { return c.size }
func (c *fileChunk) Bind(context.Context) {}
func (c *fileChunk) Expect([]store.Span)  {}

// WriteTo writes the whole record.
func (c *fileChunk) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, io.NewSectionReader(c.File, 0, c.size))
}

// Create makes a record, durable when it returns.
func (f *Store) Create(ctx context.Context, name string, write func(io.Writer) error) error {
	path, err := f.path(name)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	if err := f.prepare(); err != nil {
		return fmt.Errorf("create record %s: %w", name, err)
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("create record %s: %w", name, err)
	}
	if err := f.create(path, write); err != nil {
		return fmt.Errorf("create record %s: %w", name, err)
	}
	return nil
}

func (f *Store) create(path string, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist // spares the writing; the link below is what decides
	}
	temp, err := os.CreateTemp(filepath.Dir(path), tempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // what stays is swept with the next lease
	if err := errors.Join(writeSynced(temp, write), temp.Close()); err != nil {
		return err
	}
	if err := f.publish(temp.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

func writeSynced(file *os.File, write func(io.Writer) error) error {
	if err := write(file); err != nil {
		return err
	}
	return file.Sync()
}

// publish gives a complete file its name, unless that is taken.
func (f *Store) publish(temp, path string) error {
	err := os.Link(temp, path)
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	// Some file systems know no links (link(2): EPERM). There the lease keeps other processes away
	// and the lock other goroutines.
	f.publishing.Lock()
	defer f.publishing.Unlock()
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	return os.Rename(temp, path)
}

// makeFolder makes a folder and its parents, durable when it returns.
func makeFolder(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("make folder %s: not a folder", dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

// syncFolder makes the names in a folder durable; see fsync(2).
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// List returns the names that begin with prefix, in byte order.
func (f *Store) List(ctx context.Context, prefix string) ([]string, error) {
	folder := prefix[:strings.LastIndexByte(prefix, '/')+1]
	var names []string
	err := filepath.WalkDir(filepath.Join(f.dir, filepath.FromSlash(folder)), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // deleted meanwhile, or not there yet
		}
		if err = errors.Join(err, ctx.Err()); err != nil || d.IsDir() {
			return err
		}
		inside, err := filepath.Rel(f.dir, path)
		if err != nil {
			return err
		}
		name := filepath.ToSlash(inside)
		if _, err := f.path(name); err == nil && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list records: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// Delete removes a record. It need not be durable: a name that comes back after a crash is swept
// again.
func (f *Store) Delete(ctx context.Context, name string) error {
	path, err := f.path(name)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete record: %w", err)
	}
	return nil
}
