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

// noFollow opens a file that is neither a link to another nor waits for somebody at its other end.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// hintFolder says what to do about a folder that others could change the ledger in.
const hintFolder = "give state a folder that only the user of syncd may write to"

// checkFolder refuses a folder that another user could change the ledger in: one that another owns,
// or that others may write to. Root may own it, who can change it anyway, and its group may write
// to it when that is one of this process's, as in a volume with an fsGroup. On the way to it there
// may be no link of another user, and no folder in which every user may rename what is not theirs:
// they could put another in its place. The owners of the other folders on the way are not checked.
// It returns fs.ErrNotExist for an absent folder whose way is in order as far as it goes.
func checkFolder(dir string) error {
	place, err := checkWay(dir)
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

// maxLinks is how many symbolic links there may be on the way to a folder, as in Linux
// (path_resolution(7)).
const maxLinks = 40

// checkWay checks what is passed on the way to a folder, and returns where that is in truth,
// without links.
func checkWay(dir string) (place string, err error) {
	at, rest := "/", segments(dir)
	for links := 0; len(rest) > 0; {
		if err := checkPassed(at); err != nil {
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

// segments are the names in a path. Those that lead upwards are among them: behind a link they lead
// elsewhere than the text says.
func segments(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(name string) bool { return name == "" || name == "." })
}

// linkTarget is where a link leads that nobody else has put there, or could put elsewhere.
func linkTarget(path string, info fs.FileInfo) (string, error) {
	if err := checkOwner(path, info); err != nil {
		return "", err
	}
	return os.Readlink(path)
}

// checkPassed refuses a folder on the way in which every user may rename what is not theirs. The
// sticky bit forbids that (as in /tmp).
func checkPassed(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode(); mode&fs.ModeSticky == 0 && mode.Perm()&0o002 != 0 {
		return fmt.Errorf("%s can be written to by every user (mode %#o), who could put another state in the place of this: %s", dir, mode.Perm(), hintFolder)
	}
	return nil
}

func checkOwner(path string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if ok && owner.Uid != 0 && int(owner.Uid) != os.Geteuid() {
		return fmt.Errorf("%s belongs to user %d, who could change the ledger, and not to user %d: %s", path, owner.Uid, os.Geteuid(), hintFolder)
	}
	return nil
}

// checkWriters refuses a folder that others own or may write to.
func checkWriters(dir string, info fs.FileInfo) error {
	if err := checkOwner(dir, info); err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	switch mode := info.Mode().Perm(); {
	case mode&0o002 != 0:
		return fmt.Errorf("%s can be written to by every user (mode %#o), who could change the ledger: %s", dir, mode, hintFolder)
	case ok && mode&0o020 != 0 && !OwnGroup(int(owner.Gid)):
		return fmt.Errorf("%s can be written to by group %d (mode %#o), which is none of this process's: %s", dir, owner.Gid, mode, hintFolder)
	}
	return nil
}

// OwnGroup reports whether this process is in a group, whose writing is then no other's.
func OwnGroup(gid int) bool {
	groups, err := os.Getgroups()
	return err == nil && slices.Contains(groups, gid) || gid == os.Getegid()
}

// checkLock refuses a lock file that has another name somewhere, or that is no file: what is
// written to it would be written there.
func checkLock(path string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || ok && owner.Nlink > 1 {
		return fmt.Errorf("%s is no file of its own: somebody has linked it; remove it", path)
	}
	return nil
}

// openOwn opens a file of the folder to read it. Links are not followed, and a pipe is refused
// instead of waited for.
func openOwn(path string) (file *os.File, size int64, err error) {
	file, err = os.OpenFile(path, os.O_RDONLY|noFollow, 0)
	if errors.Is(err, syscall.ELOOP) {
		err = fmt.Errorf("%s is a link to another file, which somebody has put there; remove it", path)
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file (%s), which somebody has put there; remove it", path, info.Mode())
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// readOwn reads a file of the folder, of a bounded length.
func readOwn(path string) ([]byte, error) {
	file, size, err := openOwn(path)
	if err != nil {
		return nil, err
	}
	if size > store.MaxRecord { // said at once: what is that long takes its time to read
		return nil, errors.Join(store.ErrTooLong, file.Close())
	}
	data, err := store.ReadAll(file)
	return data, errors.Join(err, file.Close())
}
