package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// MaxSocketPath is the maximum length of the path of a socket, in bytes. On Linux the limit is 108
// including a terminating zero (unix(7)), on other systems 104.
const MaxSocketPath = 103

// ErrSocketInUse reports that another process is listening on the socket.
var ErrSocketInUse = errors.New("another process is listening on it")

// ErrNoDaemon reports that no process is listening on a socket.
var ErrNoDaemon = errors.New("no daemon is listening on it")

// ErrNotTrusted reports that another user may control a socket or its folder.
var ErrNotTrusted = errors.New("another user may control it")

// socket is a listener that removes its file when it is closed.
type socket struct {
	net.Listener
	path string
	made fs.FileInfo // the file that this process created
	lock *flock.Flock
}

// Listen creates a socket that only the user of this process can connect to. It replaces a socket
// that remains from a process that has ended. If a running process listens on the socket, the error
// is ErrSocketInUse. Listen tells these cases apart by a lock on a file next to the socket. The
// system releases the lock when the process ends for any reason. The lock file is never removed.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	if err := CheckPlace(path); err != nil {
		return nil, fmt.Errorf("create socket %s: %w", path, err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create socket %s: %w", path, err)
	}
	if err := checkWriters(dir); err != nil { // another process may have created the folder in the meantime
		return nil, fmt.Errorf("create socket %s: %w", path, err)
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW))
	isOurs, err := lock.TryLock()
	if err == nil && !isOurs {
		err = ErrSocketInUse
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create socket %s: %w", path, err), lock.Close())
	}
	listener, made, err := bind(ctx, path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("create socket %s: %w", path, err), lock.Close())
	}
	return &socket{listener, path, made, lock}, nil
}

// checkOwner rejects a socket that belongs to another user, because that user could read the
// requests. It accepts a socket that belongs to root or to the owner of the folder.
func checkOwner(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	folder, err := os.Stat(filepath.Dir(path))
	if err != nil {
		return err
	}
	owner, isKnown := ownerOf(info)
	folderOwner, _ := ownerOf(folder)
	if isKnown && owner != os.Geteuid() && owner != 0 && owner != folderOwner {
		return fmt.Errorf("it belongs to uid %d, its folder to uid %d: %w", owner, folderOwner, ErrNotTrusted)
	}
	return nil
}

func ownerOf(info fs.FileInfo) (uid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}

// bind creates the socket in a private temporary folder, sets its mode, and then renames it to
// path, so that other users can never connect.
func bind(ctx context.Context, path string) (listener net.Listener, made fs.FileInfo, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = os.Remove(dir) }() // the folder is empty: the socket was moved or removed
	temporary := filepath.Join(dir, "s")
	listener, err = (&net.ListenConfig{}).Listen(ctx, "unix", temporary)
	if err != nil {
		return nil, nil, err
	}
	if unix, ok := listener.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false)
	}
	if err = os.Chmod(temporary, 0o600); err == nil {
		made, err = os.Lstat(temporary)
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return nil, nil, errors.Join(err, listener.Close(), os.Remove(temporary))
	}
	return listener, made, nil
}

// Close closes and removes the socket. It does not remove a file that another process has put in
// its place.
func (s *socket) Close() error {
	err := s.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	if there, failure := os.Lstat(s.path); failure == nil && os.SameFile(there, s.made) {
		err = errors.Join(err, os.Remove(s.path))
	}
	return errors.Join(err, s.lock.Close())
}

// StatusError reports that a daemon rejected a request.
type StatusError struct {
	Path       string
	Status     int
	Text, Hint string
}

func (e *StatusError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("send request to %s: the daemon answered %d %s", e.Path, e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("send request to %s: %s", e.Path, e.Text)
}

// Client sends requests to the socket of a daemon.
type Client struct {
	path   string
	client *http.Client
}

// NewClient returns a client for a socket. It connects when it sends a request.
func NewClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return &Client{path, &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeaderBytes}}}
}

// Send sends a request and waits for its answer, at most for the duration wait. If no process is
// listening, the error is ErrNoDaemon. If the mapping is not in the daemon's configuration, the
// error is a *NotKeptError. If another user may control the socket, Send does not connect and
// returns ErrNotTrusted.
func (c *Client) Send(ctx context.Context, r Request, wait time.Duration) (Reply, error) {
	if err := checkOwner(c.path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = ErrNoDaemon
		}
		return Reply{}, fmt.Errorf("send request to %s: %w", c.path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, wait+replyTime)
	defer cancel()
	body, err := json.Marshal(r)
	if err != nil {
		return Reply{}, fmt.Errorf("encode request: %w", err)
	}
	to := "http://daemon" + path + "?wait=" + url.QueryEscape(wait.String())
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return Reply{}, fmt.Errorf("send request to %s: %w", c.path, err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return Reply{}, fmt.Errorf("send request to %s: %w", c.path, ErrNoDaemon)
	case err != nil:
		return Reply{}, fmt.Errorf("send request to %s: %w", c.path, withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }() // the body was read
	return c.receive(r, response)
}

func (c *Client) receive(r Request, response *http.Response) (got Reply, err error) {
	data, err := io.ReadAll(io.LimitReader(response.Body, 2*maxRecord))
	if err == nil {
		err = json.Unmarshal(data, &got)
	}
	switch {
	case err != nil:
		return Reply{}, fmt.Errorf("receive reply from %s: %w", c.path, err)
	case response.StatusCode == http.StatusNotFound && got.Error != "":
		return got, &NotKeptError{r.Mapping}
	case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusAccepted:
		return got, &StatusError{c.path, response.StatusCode, got.Error, got.Hint}
	case got.Answer != nil && got.Answer.ID != r.ID:
		return Reply{}, fmt.Errorf("%s answered request %q instead of %q", c.path, clipped(got.Answer.ID), r.ID)
	}
	return got, nil
}

// withoutURL removes the URL from an error of the HTTP client, because it is meaningless for a
// socket.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
