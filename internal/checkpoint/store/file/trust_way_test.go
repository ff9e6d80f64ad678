package file_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	filestore "syncd/internal/checkpoint/store/file"
)

const nobody = 65534

// TestFolderOpenedMeanwhile makes a folder writable for all users after the store was opened. It
// checks that nothing more is written to the folder.
func TestFolderOpenedMeanwhile(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T, dir string){
		"absent before":      func(*testing.T, string) {},
		"in order before":    openFolder,
		"with a format only": func(t *testing.T, dir string) { t.Helper(); createFile(t, openFile(t, dir), "orders/a") },
	} {
		dir := filepath.Join(t.TempDir(), "state")
		begin(t, dir)
		store := openFile(t, dir)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(dir, 0o777); err != nil { //nolint:gosec // unsafe on purpose
			t.Fatal(err)
		}
		const want = "is writable by every user"
		if _, err := store.Acquire(t.Context(), "orders", "test"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: acquire: got %v, want %q", name, err, want)
		}
		err := store.Create(t.Context(), "orders/b", func(io.Writer) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: create: got %v, want %q", name, err, want)
		}
	}
}

// TestPathOfOtherUsers checks that a path with folders or links that other users could replace is
// rejected.
func TestPathOfOtherUsers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can change the owner")
	}
	for name, tt := range map[string]struct {
		mode     os.FileMode // mode of the folder above the state
		uid, gid int         // owner and group of the folder above the state
		linkUID  int         // owner of a link to the state, -1 for no link
		want     string      // text that the error must contain, "" for no error
	}{
		"in order":                       {0o755, 0, 0, -1, ""},
		"writable by all, sticky":        {os.ModeSticky | 0o777, 0, 0, -1, ""},
		"writable by all":                {0o777, 0, 0, -1, "is writable by every user"},
		"writable by its own group":      {0o775, 0, 0, -1, ""},
		"writable by another's group":    {0o775, 0, nobody, -1, ""},
		"of another user":                {0o755, nobody, 0, -1, ""},
		"of another user, sticky":        {os.ModeSticky | 0o777, nobody, 0, -1, ""},
		"by a link":                      {0o755, 0, 0, 0, ""},
		"by a link into what others own": {0o755, nobody, 0, 0, ""},
		"by a link into what is open":    {0o777, 0, 0, 0, "is writable by every user"},
		"by a link of another user":      {0o755, 0, 0, nobody, "belongs to user 65534"},
	} {
		above := filepath.Join(t.TempDir(), "above")
		dir := filepath.Join(above, "state")
		openFolder(t, dir)
		if err := errors.Join(os.Chown(above, tt.uid, tt.gid), os.Chmod(above, tt.mode)); err != nil {
			t.Fatal(err)
		}
		if tt.linkUID >= 0 {
			dir = linkTo(t, dir, tt.linkUID)
		}
		for _, at := range []string{dir, filepath.Join(dir, "absent", "state")} {
			_, err := filestore.Open(at)
			if err == nil {
				err = takeLease(t, at)
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("%s, %s: got %v, want %q", name, at, err, tt.want)
			}
		}
	}
}

// linkTo returns a link owned by that user in a folder like /tmp.
func linkTo(t *testing.T, target string, uid int) (link string) {
	t.Helper()
	shared := t.TempDir()
	link = filepath.Join(shared, "link")
	if err := errors.Join(os.Chmod(shared, os.ModeSticky|0o777), os.Symlink(target, link), os.Lchown(link, uid, uid)); err != nil {
		t.Fatal(err)
	}
	return link
}

// TestCircularLinks checks that circular links in the path are an error.
func TestCircularLinks(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	if err := errors.Join(os.Symlink(b, a), os.Symlink("./a", b)); err != nil {
		t.Fatal(err)
	}
	if _, err := filestore.Open(a); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("got %v, want %v", err, syscall.ELOOP)
	}
}

// TestRecordThatIsNotAFile replaces the format record, and another record, by something that is not
// a regular file. It checks that reading fails at once.
func TestRecordThatIsNotAFile(t *testing.T) {
	for name, place := range map[string]func(victim, record string) error{
		"pipe":          func(_, record string) error { return syscall.Mkfifo(record, 0o600) },
		"symbolic link": os.Symlink,
		"folder":        func(_, record string) error { return os.Mkdir(record, 0o700) },
		"device":        func(_, record string) error { return os.Symlink("/dev/zero", record) },
		"too long": func(_, record string) error {
			return errors.Join(os.WriteFile(record, nil, 0o600), os.Truncate(record, 1<<40))
		},
	} {
		for _, record := range []string{"format.json", "orders/a"} {
			dir := t.TempDir()
			store := openFile(t, dir)
			createFile(t, store, "orders/a")
			path, victim := filepath.Join(dir, record), filepath.Join(t.TempDir(), "victim")
			if err := errors.Join(os.Rename(path, victim), place(victim, path)); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- readBack(t.Context(), dir, name == "too long") }()
			select {
			case err := <-ended:
				if err == nil {
					t.Errorf("%s as %s: got no error", name, record)
				}
			case <-time.After(2 * time.Minute): // long enough for a busy machine
				t.Fatalf("%s as %s: reading does not end", name, record)
			}
		}
	}
}

// readBack opens a store and reads its record with Read and with Open. If mayOpen is true, Open may
// succeed, as for a record that is too long for Read.
func readBack(ctx context.Context, dir string, mayOpen bool) error {
	store, err := filestore.Open(dir)
	if err != nil {
		return err
	}
	chunk, opened := store.Open(ctx, "orders/a", 0)
	if opened == nil {
		opened = chunk.Close()
	}
	_, err = store.Read(ctx, "orders/a")
	if opened == nil && err != nil && !mayOpen {
		return nil
	}
	return err
}
