package control

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	filestore "syncd/internal/checkpoint/store/file"
)

// ErrNoPlace says that no user can make a socket at a path.
var ErrNoPlace = errors.New("no socket can be made there")

// CheckPlace refuses a path at which Listen makes no socket, as far as that can be known without
// making anything. It answers the same for every user: the caller may run as another user than the
// daemon.
func CheckPlace(path string) error {
	if len(path) > MaxSocketPath {
		return fmt.Errorf("the path has %d bytes, and a socket's at most %d: %w", len(path), MaxSocketPath, ErrNoPlace)
	}
	dir := filepath.Dir(path)
	there, info, err := nearest(dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil // the daemon's user may look there
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder (%s): %w", there, info.Mode(), ErrNoPlace)
	case holdsNoFiles(there):
		return fmt.Errorf("%s is of the kernel and holds no files of others: %w", there, ErrNoPlace)
	case there != dir:
		return nil // the folder is made for this user alone
	}
	return errors.Join(checkWriters(dir), checkReplaceable(path))
}

// CheckUsable reports whether this user could make a socket at a path that CheckPlace accepts: the
// nearest folder that exists can be written to.
func CheckUsable(path string) error {
	there, _, err := nearest(filepath.Dir(path))
	if err != nil {
		return err
	}
	if err := syscall.Access(there, writeAndSearch); err != nil {
		return fmt.Errorf("write to %s: %w", there, err)
	}
	return nil
}

// writeAndSearch is the mode of access(2) with which names can be made in a folder.
const writeAndSearch = 2 | 1

// nearest returns a folder, or what there is of the way to it.
func nearest(dir string) (there string, info fs.FileInfo, err error) {
	for {
		info, err := os.Stat(dir)
		if err == nil {
			return dir, info, nil
		}
		isMissing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
		if link, err := os.Lstat(dir); isMissing && err == nil {
			return dir, link, nil // a link to nothing
		}
		parent := filepath.Dir(dir)
		if !isMissing || parent == dir {
			return dir, nil, err
		}
		dir = parent
	}
}

// checkWriters refuses a folder in which another user could put a socket in the place of this one:
// others may write to it, and no sticky bit keeps each to their own files. A group of this process
// may write to it, as to the folder of a state (filestore.Open): of whom in it puts a socket there
// no client takes it, unless the folder is theirs.
func checkWriters(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	mode := info.Mode()
	if mode&fs.ModeSticky != 0 || mode.Perm()&0o022 == 0 {
		return nil
	}
	owner, isKnown := info.Sys().(*syscall.Stat_t)
	if mode.Perm()&0o002 == 0 && isKnown && filestore.OwnGroup(int(owner.Gid)) {
		return nil
	}
	return fmt.Errorf("other users may write to %s (%s): %w", dir, mode, ErrNotTrusted)
}

// checkReplaceable refuses to replace anything but a socket.
func checkReplaceable(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode()&fs.ModeSocket == 0 {
		err = fmt.Errorf("there is something else than a socket (%s): %w", info.Mode(), ErrNoPlace)
	}
	return err
}
