package control_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"syncd/internal/control"
)

// folder creates a temporary folder whose path is short enough for a socket.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "c") //nolint:usetesting // the path of t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// serve serves a socket until the test ends.
func serve(t *testing.T, path string, take control.Take) {
	t.Helper()
	listener, err := control.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	server, ended := control.NewServer(take, slog.New(slog.DiscardHandler)), make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
}

func TestSocket(t *testing.T) {
	path := filepath.Join(folder(t), "run", "control.sock")
	client, r := control.NewClient(path), request(control.Trigger)
	if _, err := client.Send(t.Context(), r, 0); !errors.Is(err, control.ErrNoDaemon) {
		t.Errorf("got %v without a socket", err)
	}
	serve(t, path, func(_ context.Context, r control.Request, wait time.Duration) (control.Reply, error) {
		switch r.Mapping {
		case "m":
			return control.Reply{Answer: &control.Answer{ID: r.ID, Mapping: r.Mapping, What: r.What, Outcome: control.Done, Text: r.Who + " waits " + wait.String()}}, nil
		case "slow":
			return control.Reply{ClaimedBy: "host/1"}, nil
		case "broken":
			return control.Reply{}, errors.New("write the request to the state: denied")
		default:
			return control.Reply{}, &control.NotKeptError{Mapping: r.Mapping}
		}
	})
	info, err := os.Stat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("got mode %v, %v, want a socket that only its user can access", info.Mode(), err)
	}
	got, err := client.Send(t.Context(), r, 3*time.Second)
	if err != nil || got.Answer == nil || got.Answer.Text != control.Self()+" waits 3s" {
		t.Errorf("got %+v, %v, want the user that the system reports", got.Answer, err)
	}
	r.Mapping = "slow"
	if got, err := client.Send(t.Context(), r, 0); err != nil || got.ClaimedBy != "host/1" || got.Answer != nil {
		t.Errorf("got %+v, %v, want the process that claimed it", got, err)
	}
	r.Mapping = "other"
	_, err = client.Send(t.Context(), r, 0)
	if _, ok := errors.AsType[*control.NotKeptError](err); !ok {
		t.Errorf("got %v, want a *NotKeptError", err)
	}
	r.Mapping = "broken"
	_, err = client.Send(t.Context(), r, 0)
	if refused, ok := errors.AsType[*control.StatusError](err); !ok || refused.Status != http.StatusServiceUnavailable || !strings.Contains(err.Error(), "denied") {
		t.Errorf("got %v, want 503 with the error", err)
	}
	r.What = "delete"
	_, err = client.Send(t.Context(), r, 0)
	if refused, ok := errors.AsType[*control.StatusError](err); !ok || refused.Status != http.StatusBadRequest {
		t.Errorf("got %v, want a malformed request refused", err)
	}
}

// TestListenReplacesOnlyDeadSockets checks that Listen replaces the socket of a dead process, but
// neither the socket of a running process nor another file.
func TestListenReplacesOnlyDeadSockets(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, "s")
	first, err := control.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(t.Context(), path); !errors.Is(err, control.ErrSocketInUse) {
		t.Errorf("got %v for the socket of a running process", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want the socket removed with its process", err)
	}
	dead, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", path)
	if err != nil {
		t.Fatal(err)
	}
	dead.(*net.UnixListener).SetUnlinkOnClose(false)
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := control.NewClient(path).Send(t.Context(), request(control.Trigger), 0); !errors.Is(err, control.ErrNoDaemon) {
		t.Errorf("got %v of a dead socket", err)
	}
	second, err := control.Listen(t.Context(), path)
	if err != nil {
		t.Fatalf("got %v although the process of the socket is dead", err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(t.Context(), path); err == nil || !strings.Contains(err.Error(), "is not a socket") {
		t.Errorf("got %v for a path of a file", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("got %q, %v, want the file as it was", text, err)
	}
	if _, err := control.Listen(t.Context(), filepath.Join(dir, strings.Repeat("x", 120))); err == nil || !strings.Contains(err.Error(), "the maximum of 103") {
		t.Errorf("got %v for a path that is too long", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".s*"))
	if err != nil || len(left) > 0 {
		t.Errorf("got temporary files %v, %v, want none", left, err)
	}
}

// TestSocketIsRefusedByItsMode checks that the system rejects users without write permission on the
// socket.
func TestSocketIsRefusedByItsMode(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can connect to every socket")
	}
	path := filepath.Join(folder(t), "s")
	serve(t, path, func(context.Context, control.Request, time.Duration) (control.Reply, error) {
		t.Error("got a request")
		return control.Reply{}, nil
	})
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := control.NewClient(path).Send(t.Context(), request(control.Trigger), 0); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v, want the permission denied", err)
	}
}

// TestHandlerLimits checks that the handler limits the size of a request and rejects an invalid
// wait.
func TestHandlerLimits(t *testing.T) {
	h := control.NewServer(func(context.Context, control.Request, time.Duration) (control.Reply, error) {
		t.Error("got a request")
		return control.Reply{}, nil
	}, slog.New(slog.DiscardHandler)).Handler
	for _, tt := range []struct {
		method, target, body string
		want                 int
	}{
		{http.MethodGet, "/v1/requests?wait=1s", "", http.StatusMethodNotAllowed},
		{http.MethodPost, "/v2/requests?wait=1s", "{}", http.StatusNotFound},
		{http.MethodPost, "/v1/requests", "{}", http.StatusBadRequest},
		{http.MethodPost, "/v1/requests?wait=-1s", "{}", http.StatusBadRequest},
		{http.MethodPost, "/v1/requests?wait=9999h", "{}", http.StatusBadRequest},
		{http.MethodPost, "/v1/requests?wait=1s", "{}", http.StatusBadRequest},
		{http.MethodPost, "/v1/requests?wait=1s", `{"who":"` + strings.Repeat("x", 1<<20) + `"}`, http.StatusBadRequest},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), tt.method, tt.target, strings.NewReader(tt.body)))
		if w.Code != tt.want {
			t.Errorf("%s %s %.20s: got %d, want %d", tt.method, tt.target, tt.body, w.Code, tt.want)
		}
	}
}

// TestListenRejectsSharedFolders checks that Listen rejects a folder that other users can write to,
// unless the sticky bit protects each user's files.
func TestListenRejectsSharedFolders(t *testing.T) {
	dir := folder(t)
	if err := os.Chown(dir, -1, os.Getegid()); err != nil {
		t.Fatal(err)
	}
	for mode, isRefused := range map[fs.FileMode]bool{
		0o777: true, 0o702: true, 0o777 | fs.ModeSetgid: true, 0o777 | fs.ModeSticky: false, 0o755: false, 0o770: false, 0o775 | fs.ModeSetgid: false,
	} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		listener, err := control.Listen(t.Context(), filepath.Join(dir, "s"))
		if errors.Is(err, control.ErrNotTrusted) != isRefused {
			t.Errorf("%s: got %v, want refused: %v", mode, err, isRefused)
		}
		if err == nil && listener.Close() != nil {
			t.Errorf("%s: the socket was not closed", mode)
		}
	}
}

// TestSocketInGroupFolder checks that Listen accepts a folder that a group of the process can write
// to, such as a Kubernetes volume, and rejects a folder of another group.
func TestSocketInGroupFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a folder away")
	}
	dir := folder(t)
	path := filepath.Join(dir, "s")
	if err := errors.Join(os.Chown(dir, 12345, 54321), os.Chmod(dir, 0o775|fs.ModeSetgid)); err != nil {
		t.Fatal(err)
	}
	if _, err := control.Listen(t.Context(), path); !errors.Is(err, control.ErrNotTrusted) {
		t.Errorf("got %v in a folder that another group may write to, want it refused", err)
	}
	if err := errors.Join(os.Chown(dir, 12345, os.Getegid()), os.Chmod(dir, 0o775|fs.ModeSetgid)); err != nil {
		t.Fatal(err)
	}
	serve(t, path, func(context.Context, control.Request, time.Duration) (control.Reply, error) {
		return control.Reply{ClaimedBy: "host/1"}, nil
	})
	if got, err := control.NewClient(path).Send(t.Context(), request(control.Trigger), 0); err != nil || got.ClaimedBy != "host/1" {
		t.Errorf("got %+v, %v in a folder of the process's own group, want the reply", got, err)
	}
}

// TestClientRejectsSocketOfAnotherUser checks that a client does not connect to a socket that
// belongs to another user.
func TestClientRejectsSocketOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give a socket away")
	}
	path := filepath.Join(folder(t), "s")
	serve(t, path, func(context.Context, control.Request, time.Duration) (control.Reply, error) {
		return control.Reply{ClaimedBy: "somebody"}, nil
	})
	if err := os.Lchown(path, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if _, err := control.NewClient(path).Send(t.Context(), request(control.Trigger), 0); !errors.Is(err, control.ErrNotTrusted) || !strings.Contains(err.Error(), "uid 12345") {
		t.Errorf("got %v, want it refused", err)
	}
	if err := os.Lchown(filepath.Dir(path), 12345, 12345); err != nil {
		t.Fatal(err)
	}
	if got, err := control.NewClient(path).Send(t.Context(), request(control.Trigger), 0); err != nil || got.ClaimedBy != "somebody" {
		t.Errorf("got %+v, %v of the owner of the folder, want the reply", got, err)
	}
}

// TestCloseRemovesItsOwnSocket checks that Close does not remove a file that has replaced the
// socket.
func TestCloseRemovesItsOwnSocket(t *testing.T) {
	path := filepath.Join(folder(t), "s")
	listener, err := control.Listen(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".other", []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".other", path); err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "precious" {
		t.Errorf("got %q, %v, want the new file left alone", text, err)
	}
}
