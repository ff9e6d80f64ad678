package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"syncd/internal/checkpoint/store"
	"syncd/internal/deadline"

	"github.com/gofrs/flock"
)

// Acquire locks the mapping's folder. It deletes incomplete records of processes that died.
func (f *Store) Acquire(ctx context.Context, name, holder string) (store.Lease, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !store.IsSegment(name) {
		return nil, fmt.Errorf("lease name %q: %w", name, fs.ErrInvalid)
	}
	path := filepath.Join(f.dir, name, store.LockName)
	if err := f.prepare(); err != nil {
		return nil, fmt.Errorf("acquire lease on %q: %w", name, err)
	}
	if err := makeFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("acquire lease on %q: %w", name, err)
	}
	if err := checkFolder(filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("acquire lease on %q: %w", name, err)
	}
	lock := flock.New(path, flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR|noFollow))
	locked, err := tryLock(ctx, lock)
	if errors.Is(err, syscall.ELOOP) {
		err = fmt.Errorf("%s is a symbolic link that syncd did not create; remove it", path)
	}
	if err != nil {
		return nil, fmt.Errorf("acquire lease on %q: %w", name, err)
	}
	if !locked {
		note := readNote(path)
		return nil, errors.Join(&store.LeaseHeldError{Name: name, Holder: note.Holder, Since: note.Since}, lock.Close())
	}
	lease := &fileLease{Tenure: store.NewTenure(), lock: lock}
	if err := errors.Join(lease.announce(holder), sweepTemporary(filepath.Dir(path))); err != nil {
		return nil, errors.Join(fmt.Errorf("acquire lease on %q: %w", name, err), lease.Release())
	}
	return lease, nil
}

// lockTries is how often Acquire tries to lock. It tries more than once, because LeaseOf holds the
// lock for an instant.
const (
	lockTries = 3
	lockPause = 5 * time.Millisecond
)

func tryLock(ctx context.Context, lock *flock.Flock) (bool, error) {
	for range lockTries - 1 {
		if locked, err := lock.TryLock(); locked || err != nil {
			return locked, err
		}
		if err := deadline.Sleep(ctx, lockPause); err != nil {
			return false, err
		}
	}
	return lock.TryLock()
}

// LeaseOf checks whether the mapping's folder is locked.
func (f *Store) LeaseOf(ctx context.Context, name string) (info store.LeaseInfo, ok bool, err error) {
	if !store.IsSegment(name) {
		return store.LeaseInfo{}, false, fmt.Errorf("lease name %q: %w", name, fs.ErrInvalid)
	}
	if err := ctx.Err(); err != nil {
		return store.LeaseInfo{}, false, err
	}
	path := filepath.Join(f.dir, name, store.LockName)
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY|noFollow))
	free, err := lock.TryRLock()
	if errors.Is(err, fs.ErrNotExist) {
		return store.LeaseInfo{}, false, nil
	}
	if err = errors.Join(err, lock.Close()); err != nil {
		return store.LeaseInfo{}, false, fmt.Errorf("read lease on %q: %w", name, err)
	}
	note := readNote(path)
	return store.LeaseInfo{Holder: note.Holder, Since: note.Since}, !free, nil
}

// maxNote is the maximum number of bytes of a holder note that are read.
const maxNote = 4 << 10

// readNote returns the holder note, or a zero note if it cannot be read, for example because the
// holder is writing it.
func readNote(path string) (note store.HolderNote) {
	file, err := os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return store.HolderNote{}
	}
	defer func() { _ = file.Close() }() // opened for reading, so a failed close loses no data
	data, err := io.ReadAll(io.LimitReader(file, maxNote))
	if err != nil || json.Unmarshal(data, &note) != nil {
		return store.HolderNote{}
	}
	return note
}

func sweepTemporary(dir string) error {
	files, err := os.ReadDir(dir)
	for _, file := range files {
		if strings.HasPrefix(file.Name(), tempPrefix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, file.Name())))
		}
	}
	return err
}

// fileLease is a lock on a mapping's folder.
type fileLease struct {
	store.Tenure
	mu       sync.Mutex
	lock     *flock.Flock
	released bool
}

func (l *fileLease) announce(holder string) error {
	data, err := json.Marshal(store.HolderNote{Holder: holder, Since: time.Now().UTC()})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(l.lock.Path(), os.O_WRONLY|noFollow, 0)
	if err != nil {
		return err
	}
	return errors.Join(l.write(file, append(data, '\n')), file.Close())
}

// write writes data to the lock file. It returns an error if file is not the locked file.
func (l *fileLease) write(file *os.File, data []byte) error {
	locked, err := l.lock.Stat()
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(locked, info) {
		return fmt.Errorf("%w: %s was replaced", store.ErrLeaseLost, l.lock.Path())
	}
	if err := checkLock(l.lock.Path(), info); err != nil {
		return err
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = file.WriteAt(data, 0)
	return err
}

// Held returns nil if the locked file is still the file that other processes would lock.
func (l *fileLease) Held(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.released {
		return fmt.Errorf("%w: released", store.ErrLeaseLost)
	}
	locked, err := l.lock.Stat()
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrLeaseLost, err)
	}
	named, err := os.Lstat(l.lock.Path())
	if err != nil {
		return fmt.Errorf("%w: %w", store.ErrLeaseLost, err)
	}
	if !os.SameFile(locked, named) {
		return fmt.Errorf("%w: %s was replaced", store.ErrLeaseLost, l.lock.Path())
	}
	return nil
}

// Confirm is the same as Held, because the operating system holds the lock.
func (l *fileLease) Confirm(ctx context.Context) error { return l.Held(ctx) }

// Number returns 0: see TakenOver.
func (l *fileLease) Number() int64 { return 0 }

// TakenOver returns false, because the operating system releases the lock when a process dies and
// never takes it away from a live process.
func (l *fileLease) TakenOver() bool { return false }

// Fenced does nothing.
func (l *fileLease) Fenced() {}

// Release unlocks the folder. It keeps the lock file: if it were deleted, two processes could lock
// two different files of that name.
func (l *fileLease) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.released {
		return nil
	}
	l.released = true
	l.End(fmt.Errorf("%w: released", store.ErrLeaseLost))
	if err := l.lock.Close(); err != nil {
		return fmt.Errorf("release lease: %w", err)
	}
	return nil
}
