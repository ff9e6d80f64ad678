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

// ErrNoPlace reports that a socket cannot be created at a path, by any user.
var ErrNoPlace = errors.New("no socket can be created there")

// CheckPlace rejects a path where Listen cannot create a socket, as far as this can be determined
// without creating anything. The result does not depend on the user, because the command and the
// daemon can run as different users.
func CheckPlace(path string) error {
	if len(path) > MaxSocketPath {
		return fmt.Errorf("the path has %d bytes, more than the maximum of %d: %w", len(path), MaxSocketPath, ErrNoPlace)
	}
	dir := filepath.Dir(path)
	there, info, err := nearest(dir)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil // the user of the daemon may have access
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder (%s): %w", there, info.Mode(), ErrNoPlace)
	case holdsNoFiles(there):
		return fmt.Errorf("%s is in a kernel file system: %w", there, ErrNoPlace)
	case there != dir:
		return nil // Listen creates the folder with access only for its user
	}
	return errors.Join(checkWriters(dir), checkReplaceable(path))
}

// CheckUsable returns an error if this user could not create a socket at a path that CheckPlace
// accepts, because the nearest existing folder is not writable.
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

// writeAndSearch is the access(2) mode that is needed to create files in a folder.
const writeAndSearch = 2 | 1

// nearest returns dir, or the nearest parent that exists.
func nearest(dir string) (there string, info fs.FileInfo, err error) {
	for {
		info, err := os.Stat(dir)
		if err == nil {
			return dir, info, nil
		}
		isMissing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
		if link, err := os.Lstat(dir); isMissing && err == nil {
			return dir, link, nil // a dangling symbolic link
		}
		parent := filepath.Dir(dir)
		if !isMissing || parent == dir {
			return dir, nil, err
		}
		dir = parent
	}
}

// checkWriters rejects a folder in which another user could replace the socket, because other users
// can write to it and it has no sticky bit. Write access for a group of this process is allowed, as
// for the folder of a state (filestore.Open). If a member of the group replaces the socket, clients
// reject it, unless that member owns the folder.
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
	return fmt.Errorf("other users can write to %s (%s): %w", dir, mode, ErrNotTrusted)
}

// checkReplaceable returns an error if path exists and is not a socket.
func checkReplaceable(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Mode()&fs.ModeSocket == 0 {
		err = fmt.Errorf("the path exists and is not a socket (%s): %w", info.Mode(), ErrNoPlace)
	}
	return err
}
