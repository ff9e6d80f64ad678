// Package file is a checkpoint store in a folder.
//
// A record is a file. It is written under a temporary name, synced and linked to its final name, so
// that it is complete or absent after any crash. The lease is an operating system lock on a file;
// it ends with the process. The package guarantees that only the user of this process (or root) can
// change the folder's content: it rejects a folder, a path or a file that other users could change.
//
// The caller chooses the folder. Terms: the folder is where the records are stored. A holder note
// is the content of the lock file; it describes the process that holds the lock.
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

// tempPrefix is the prefix of the temporary names of records being written. Record names never
// begin with a dot.
const tempPrefix = ".tmp-"

// Store is a store in a folder. A record is a file. It is written under a temporary name, synced
// and linked to its final name; the link fails if the name is taken. Then the folder is synced. The
// lease is flock(2) on a file called lock, so the operating system releases it when the process
// ends for any reason. Folders have mode 0700 and files 0600. The store rejects a folder that other
// users can write to or replace, and records that are links or not regular files. The folder must
// be on a file system that honors fsync and, if several machines share it, locks.
type Store struct {
	dir        string
	publishing sync.Mutex // used only if the file system has no hard links
}

var _ store.Store = (*Store)(nil)

// Open returns the store in dir. If the folder does not exist, the first write creates it; reading
// creates nothing. If the folder has another format, Open returns a *VersionError.
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

// prepare creates the folder and its format record before the first write. It checks the folder
// again, because its permissions may have changed since Open.
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
		return f.checkFormat() // another process created it first
	}
	return err
}

// path returns the path of the record with that name.
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
func (f *Store) Open(ctx context.Context, name string, _ int64) (store.Record, error) {
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

// fileChunk is an open record of a folder. The operating system caches what is read, and can
// reclaim that memory.
type fileChunk struct {
	*os.File
	size int64
}

func (c *fileChunk) Size() int64          { return c.size }
func (c *fileChunk) Bind(context.Context) {}

// WriteTo writes the whole record.
func (c *fileChunk) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, io.NewSectionReader(c.File, 0, c.size))
}

// Create creates a record. It is durable when Create returns.
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
		return fs.ErrExist // avoids a useless write; publish decides whether the name is free
	}
	temp, err := os.CreateTemp(filepath.Dir(path), tempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp.Name()) }() // a file left here is deleted when the lease is next acquired
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

// publish gives a complete file its final name, unless the name is taken.
func (f *Store) publish(temp, path string) error {
	err := os.Link(temp, path)
	if !errors.Is(err, errors.ErrUnsupported) && !errors.Is(err, fs.ErrPermission) {
		return err
	}
	// Some file systems have no hard links (link(2): EPERM). On these file systems the lease
	// excludes other processes, and the mutex excludes other goroutines.
	f.publishing.Lock()
	defer f.publishing.Unlock()
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	return os.Rename(temp, path)
}

// makeFolder creates a folder and its missing parents. They are durable when makeFolder returns.
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
			return nil // deleted meanwhile, or not created yet
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

// Delete removes a record. The deletion need not be durable, because a record that reappears after
// a crash is swept again.
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
