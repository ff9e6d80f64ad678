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

// MaxSocketPath is how long the path of a socket may be, in bytes (unix(7): 108 with the zero at
// its end; 104 elsewhere).
const MaxSocketPath = 103

// ErrSocketInUse says that a living process has the socket.
var ErrSocketInUse = errors.New("another process answers there")

// ErrNoDaemon says that no process answers on a socket.
var ErrNoDaemon = errors.New("no daemon answers there")

// ErrNotTrusted says that a socket, or its folder, may be in the hands of another user.
var ErrNotTrusted = errors.New("it may be another user's")

// socket is a listener whose file is removed with it.
type socket struct {
	net.Listener
	path string
	made fs.FileInfo // of the file
	lock *flock.Flock
}

// Listen makes the socket at a path, for the user of this process alone. What a process that ended
// has left there is replaced; of one that lives the error is ErrSocketInUse. A lock on a file next
// to it says which of the two it is, and the system gives that back however a process ends. The
// lock file stays.
func Listen(ctx context.Context, path string) (net.Listener, error) {
	if err := CheckPlace(path); err != nil {
		return nil, fmt.Errorf("make socket %s: %w", path, err)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make socket %s: %w", path, err)
	}
	if err := checkWriters(dir); err != nil { // another process may have made it meanwhile
		return nil, fmt.Errorf("make socket %s: %w", path, err)
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600), flock.SetFlag(os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW))
	isOurs, err := lock.TryLock()
	if err == nil && !isOurs {
		err = ErrSocketInUse
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make socket %s: %w", path, err), lock.Close())
	}
	listener, made, err := bind(ctx, path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make socket %s: %w", path, err), lock.Close())
	}
	return &socket{listener, path, made, lock}, nil
}

// checkOwner refuses a socket that belongs neither to this user nor to root nor to the owner of its
// folder: requests are not for others to read.
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
		return fmt.Errorf("it belongs to uid %d, and its folder to uid %d: %w", owner, folderOwner, ErrNotTrusted)
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

// bind makes the socket in a folder that only this user can look into, and gives it its name when
// it has its mode: there is no moment at which others could connect.
func bind(ctx context.Context, path string) (listener net.Listener, made fs.FileInfo, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = os.Remove(dir) }() // empty by then
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

// Close closes and removes the socket. What another process has put in its place meanwhile stays.
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

// StatusError says that a daemon has not taken a request.
type StatusError struct {
	Path       string
	Status     int
	Text, Hint string
}

func (e *StatusError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("send request to %s: it answered %d %s", e.Path, e.Status, http.StatusText(e.Status))
	}
	return fmt.Sprintf("send request to %s: %s", e.Path, e.Text)
}

// Client sends requests to the socket of a daemon.
type Client struct {
	path   string
	client *http.Client
}

// NewClient returns the client of a socket. It connects with the first request.
func NewClient(path string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	return &Client{path, &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true, MaxResponseHeaderBytes: maxHeaderBytes}}}
}

// Send sends a request and waits up to so long for its answer. Where no process answers the error
// is ErrNoDaemon; where one does and does not keep the mapping, it is a *NotKeptError. A socket
// that may be another user's is not connected to: ErrNotTrusted.
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
	defer func() { _ = response.Body.Close() }() // it was read
	return c.receive(r, response)
}

func (c *Client) receive(r Request, response *http.Response) (got Reply, err error) {
	data, err := io.ReadAll(io.LimitReader(response.Body, 2*maxRecord))
	if err == nil {
		err = json.Unmarshal(data, &got)
	}
	switch {
	case err != nil:
		return Reply{}, fmt.Errorf("receive the reply of %s: %w", c.path, err)
	case response.StatusCode == http.StatusNotFound && got.Error != "":
		return got, &NotKeptError{r.Mapping}
	case response.StatusCode != http.StatusOK && response.StatusCode != http.StatusAccepted:
		return got, &StatusError{c.path, response.StatusCode, got.Error, got.Hint}
	case got.Answer != nil && got.Answer.ID != r.ID:
		return Reply{}, fmt.Errorf("%s answered request %q instead of %q", c.path, clipped(got.Answer.ID), r.ID)
	}
	return got, nil
}

// withoutURL is an error of the HTTP client without the URL that the socket has no use for.
func withoutURL(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}
