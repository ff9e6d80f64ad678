package checkpoint

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"
)

// noFollow opens a file that is neither a link to another nor waits for somebody at its other end.
const noFollow = syscall.O_NOFOLLOW | syscall.O_NONBLOCK

// checkFolder refuses a folder that another user could change the ledger in: one that another owns, or that others may write to. Root
// may own it, who can change it anyway, and its group may write to it when that is one of this process's, as in a volume with an
// fsGroup. It returns fs.ErrNotExist for an absent folder.
func checkFolder(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a folder", dir)
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	const hint = "give state a folder that only the user of syncd may write to"
	switch mode := info.Mode().Perm(); {
	case owner.Uid != 0 && int(owner.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to user %d, who could change the ledger, and not to user %d: %s", dir, owner.Uid, os.Geteuid(), hint)
	case mode&0o002 != 0:
		return fmt.Errorf("%s can be written to by every user (mode %#o), who could change the ledger: %s", dir, mode, hint)
	case mode&0o020 != 0 && !ownGroup(int(owner.Gid)):
		return fmt.Errorf("%s can be written to by group %d (mode %#o), which is none of this process's: %s", dir, owner.Gid, mode, hint)
	}
	return nil
}

func ownGroup(gid int) bool {
	groups, err := os.Getgroups()
	return err == nil && slices.Contains(groups, gid) || gid == os.Getegid()
}

// checkLock refuses a lock file that has another name somewhere, or that is no file: what is written to it would be written there.
func checkLock(path string, info fs.FileInfo) error {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.Mode().IsRegular() || ok && owner.Nlink > 1 {
		return fmt.Errorf("%s is no file of its own: somebody has linked it; remove it", path)
	}
	return nil
}
