package file_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	filestore "syncd/internal/checkpoint/store/file"
)

// TestFolderOfOtherUsers checks that folders in which other users could change the ledger are
// rejected, and that safe volumes are accepted.
func TestFolderOfOtherUsers(t *testing.T) {
	root := os.Geteuid() == 0
	for name, tt := range map[string]struct {
		mode     os.FileMode
		uid, gid int
		want     string // text that the error must contain, "" for no error
	}{
		"its own":                         {0o700, os.Geteuid(), os.Getegid(), ""},
		"readable by all":                 {0o755, os.Geteuid(), os.Getegid(), ""},
		"of a volume with the own group":  {os.ModeSetgid | 0o775, os.Geteuid(), os.Getegid(), ""},
		"writable by all":                 {0o777, os.Geteuid(), os.Getegid(), "is writable by every user (mode 0777)"},
		"writable by all, sticky":         {os.ModeSticky | 0o777, os.Geteuid(), os.Getegid(), "is writable by every user"},
		"writable by another's group":     {0o770, os.Geteuid(), nobody, "is writable by group 65534"},
		"of another user":                 {0o700, nobody, os.Getegid(), "belongs to user 65534"},
		"of another user, of a group too": {0o770, nobody, os.Getegid(), "belongs to user 65534"},
	} {
		if !root && (tt.uid != os.Geteuid() || tt.gid != os.Getegid()) {
			continue // only root can change the owner
		}
		for _, at := range []string{"", "orders"} {
			dir := t.TempDir()
			openFolder(t, dir)
			target := filepath.Join(dir, at)
			if err := os.Chown(target, tt.uid, tt.gid); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(target, tt.mode); err != nil {
				t.Fatal(err)
			}
			err := takeLease(t, dir)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s, folder %q: got %v, want %q", name, at, err, tt.want)
			}
		}
	}
}

// openFolder opens a folder as a store and adds a mapping.
func openFolder(t *testing.T, dir string) {
	t.Helper()
	if err := takeLease(t, dir); err != nil {
		t.Fatal(err)
	}
}

// takeLease acquires and releases the lease of a mapping.
func takeLease(t *testing.T, dir string) error {
	t.Helper()
	store, err := filestore.Open(dir)
	if err != nil {
		return err
	}
	lease, err := store.Acquire(t.Context(), "orders", "test")
	if err != nil {
		return err
	}
	return lease.Release()
}

// TestLockThatIsALink replaces the lock by a link. It checks that the target of the link is not
// changed.
func TestLockThatIsALink(t *testing.T) {
	const content = "a file that is dear to somebody\n"
	for name, place := range map[string]func(victim, lock string) error{
		"symbolic link": os.Symlink,
		"hard link":     os.Link,
		"pipe":          func(_, lock string) error { return syscall.Mkfifo(lock, 0o600) },
		"folder":        func(_, lock string) error { return os.Mkdir(lock, 0o700) },
		"dangling link": func(victim, lock string) error { return os.Symlink(victim+"-2", lock) },
	} {
		dir := t.TempDir()
		openFolder(t, dir)
		victim, lock := filepath.Join(t.TempDir(), "victim"), filepath.Join(dir, "orders", "lock")
		if err := os.WriteFile(victim, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(lock); err != nil {
			t.Fatal(err)
		}
		if err := place(victim, lock); err != nil {
			t.Fatal(err)
		}
		if err := takeLease(t, dir); err == nil {
			t.Errorf("%s: got the lease, want an error", name)
		}
		got, err := os.ReadFile(victim)
		if err != nil || string(got) != content {
			t.Errorf("%s: got %q, %v, want the file unchanged", name, got, err)
		}
		if _, err := os.Lstat(victim + "-2"); err == nil {
			t.Errorf("%s: its target was created", name)
		}
		store, err := filestore.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := store.LeaseOf(t.Context(), "orders"); err == nil && name == "symbolic link" {
			t.Errorf("%s: LeaseOf followed the link", name)
		}
	}
}
