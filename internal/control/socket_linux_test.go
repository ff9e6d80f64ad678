package control_test

import (
	"bufio"
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"syncd/internal/control"
)

// as runs the function do with the rights of the user uid, on a thread that ends afterwards. It
// skips the test unless root runs it.
func as(t *testing.T, uid uintptr, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can become another user")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // without an unlock, Go ends the thread
		const keep = ^uintptr(0)
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, keep, uid, keep); errno != 0 {
			t.Errorf("become user %d: %v", uid, errno)
			return
		}
		do()
	}()
	<-done
}

// TestSocketRejectsOtherUsers checks that the mode of the socket rejects another user and that, if
// the mode allows access, the server rejects that user.
func TestSocketRejectsOtherUsers(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, "s")
	serve(t, path, func(context.Context, control.Request, time.Duration) (control.Reply, error) {
		t.Error("got a request")
		return control.Reply{}, nil
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	as(t, 65534, func() {
		if _, err := (&net.Dialer{}).DialContext(t.Context(), "unix", path); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got %v, want the permission denied", err)
		}
	})
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	as(t, 65534, func() {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "unix", path)
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		if _, err := conn.Write([]byte("POST /v1/requests?wait=0s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")); err != nil {
			t.Error(err)
		}
		status, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(status, http.StatusText(http.StatusForbidden)) {
			t.Errorf("got %q, %v, want another user refused", status, err)
		}
	})
}
