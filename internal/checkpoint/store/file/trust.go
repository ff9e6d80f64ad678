package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"syncd/internal/checkpoint/store"
)

// noFollow opens a file without following a symbolic link and without blocking on a pipe.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// hintFolder is the advice for a folder in which other users could change the ledger.
const hintFolder = "set state to a folder that only syncd's user can write to"

// checkFolder rejects a folder in which another user could change the ledger: a folder owned by
// another user, or writable by other users. A folder owned by root is accepted, because root can
// change any folder. A folder writable by its group is accepted if this process is in that group,
// as in a volume with an fsGroup. The path to the folder must not include a link owned by another
// user, or a folder in which every user can rename files of other users, because another user could
// then replace the folder. The owners of the folders on the path are not checked. If the folder is
// absent and the existing part of its path is valid, checkFolder returns fs.ErrNotExist.
func checkFolder(dir string) error {
	place, err := checkPath(dir)
	if err != nil {
		return err
	}
	info, err := os.Lstat(place)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", place)
	}
	return checkWriters(place, info)
}

// maxLinks is the maximum number of symbolic links in the path to a folder, the same as in Linux
// (path_resolution(7)).
const maxLinks = 40

// checkPath checks the path to a folder and returns the folder's path without links.
func checkPath(dir string) (place string, err error) {
	at, rest := "/", segments(dir)
	for links := 0; len(rest) > 0; {
		if err := checkParent(at); err != nil {
			return "", err
		}
		next := filepath.Join(at, rest[0])
		info, err := os.Lstat(next)
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at, rest = next, rest[1:]
			continue
		}
		if links++; links > maxLinks {
			return "", fmt.Errorf("%s: %w", dir, syscall.ELOOP)
		}
		target, err := linkTarget(next, info)
		if err != nil {
			return "", err
		}
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(segments(target), rest[1:]...)
	}
	return at, nil
}

// segments returns the names in a path. It keeps "..": after a symbolic link, ".." is the parent of
// the link's target, so it must be resolved step by step.
func segments(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(name string) bool { return name == "" || name == "." })
}

// linkTarget returns the target of a link. It rejects a link that another user owns.
func linkTarget(path string, info fs.FileInfo) (string, error) {
	if err := checkOwner(path, info); err != nil {
		return "", err
	}
	return os.Readlink(path)
}

// checkParent rejects a folder on the path in which every user can rename files of other users. A
// folder with the sticky bit, such as /tmp, is accepted.
func checkParent(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode&fs.ModeSticky == 0 && mode.Perm()&0o002 != 0 {
		return fmt.Errorf("%s is writable by every user (mode %#o), who could replace the state: %s", dir, mode.Perm(), hintFolder)
	}
	return nil
}

func checkOwner(path string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if ok && owner.Uid != 0 && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d instead of user %d, so another user could change the ledger: %s", path, owner.Uid, os.Geteuid(), hintFolder)
	}
	return nil
}

// checkWriters rejects a folder that another user owns or can write to.
func checkWriters(dir string, info fs.FileInfo) error {
	if err := checkOwner(dir, info); err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch mode := info.Mode().Perm(); {
	case mode&0o002 != 0:
		return fmt.Errorf("%s is writable by every user (mode %#o), who could change the ledger: %s", dir, mode, hintFolder)
	case ok && mode&0o020 != 0 && !OwnGroup(int(owner.Gid)):
		return fmt.Errorf("%s is writable by group %d (mode %#o), and this process is not in that group: %s", dir, owner.Gid, mode, hintFolder)
	}
	return nil
}

// OwnGroup reports whether this process is in the group.
func OwnGroup(gid int) bool {
	groups, err := os.Getgroups()
	return err == nil && slices.Contains(groups, gid) || gid == os.Getegid()
}

// checkLock rejects a lock file that is not a regular file, or that has another hard link, because
// writing to the lock file would change the file under its other name.
func checkLock(path string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || ok && owner.Nlink > 1 {
		return fmt.Errorf("%s is not a regular file or has another hard link; remove it", path)
	}
	return nil
}

// openOwn opens a file of the folder for reading. It does not follow links, and refuses a pipe
// instead of blocking on it.
func openOwn(path string) (file *os.File, size int64, err error) {
	file, err = os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if errors.Is(err, syscall.ELOOP) {
		err = fmt.Errorf("%s is a symbolic link that syncd did not create; remove it", path)
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file (%s); remove it", path, info.Mode())
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// readOwn reads a file of the folder, up to store.MaxRecord bytes.
func readOwn(path string) ([]byte, error) {
	file, size, err := openOwn(path)
	if err != nil {
		return nil, err
	}
	if size > store.MaxRecord { // checked first, so that a file that is too long is not read
		return nil, errors.Join(store.ErrTooLong, file.Close())
	}
	data, err := store.ReadAll(file)
	return data, errors.Join(err, file.Close())
}
