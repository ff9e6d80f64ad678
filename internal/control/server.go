package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"time"
)

// What a client of the socket may cost.
const (
	requestTime    = 10 * time.Second // to send a request
	replyTime      = 30 * time.Second // beyond the wait that it asks for
	maxHeaderBytes = 16 << 10
)

// MaxWait is how long a client may ask to wait for an answer.
const MaxWait = 24 * time.Hour

// path is the one that requests are sent to. A later version of them has another.
const path = "/v1/requests"

// Reply is what the socket answers.
type Reply struct {
	// Answer is what became of the request; absent while it is not known.
	Answer *Answer `json:"answer,omitempty"`
	// ClaimedBy is the process that carries the request out, when one does and there is no answer
	// yet.
	ClaimedBy string `json:"claimed_by,omitempty"`
	// Error says why the request was not taken, Hint what to do about that.
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// NotKeptError says that a daemon does not keep a mapping.
type NotKeptError struct{ Mapping string }

func (e *NotKeptError) Error() string {
	return fmt.Sprintf("mapping %q is not in this daemon's configuration", clipped(e.Mapping))
}

// Take brings a request to where it is carried out, and waits up to so long for the answer. The end
// of ctx ends the wait.
type Take func(ctx context.Context, r Request, wait time.Duration) (Reply, error)

// peer is who is at the other end of a connection.
type peer struct {
	uid     int
	isKnown bool // the system says so
}

type peerKey struct{}

// NewServer returns a server for the socket, whose requests go to take. It serves the user of this
// process and root.
func NewServer(take Take, logger *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("POST "+path, Handler(take, logger))
	return &http.Server{
		Handler: mux, ReadHeaderTimeout: requestTime, ReadTimeout: requestTime, IdleTimeout: requestTime, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			uid, ok := peerOf(c)
			return context.WithValue(ctx, peerKey{}, peer{uid, ok})
		},
	}
}

// Handler answers requests on the socket.
func Handler(take Take, logger *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, _ := r.Context().Value(peerKey{}).(peer)
		if who.isKnown && who.uid != os.Geteuid() && who.uid != 0 {
			logger.Warn("request refused, it is another user's", "uid", who.uid)
			reply(w, http.StatusForbidden, Reply{Error: "this socket serves the user of the daemon", Hint: "run the command as that user"})
			return
		}
		wait, err := time.ParseDuration(r.URL.Query().Get("wait"))
		if err != nil || wait < 0 || wait > MaxWait {
			reply(w, http.StatusBadRequest, Reply{Error: "wait is not a time up to " + MaxWait.String()})
			return
		}
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRecord))
		request, malformed := DecodeRequest(data)
		if err = errors.Join(err, malformed); err != nil {
			logger.Warn("request refused, it is malformed", "err", err)
			reply(w, http.StatusBadRequest, Reply{Error: err.Error()})
			return
		}
		if who.isKnown {
			request.Who = userName(who.uid)
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + replyTime)) // a wait without end ends with its client
		got, err := take(r.Context(), request, wait)
		reply(w, statusOf(got, err), withError(got, err))
	})
}

func statusOf(r Reply, err error) int {
	_, isNotKept := errors.AsType[*NotKeptError](err)
	_, isMalformed := errors.AsType[*MalformedError](err)
	switch {
	case isNotKept:
		return http.StatusNotFound
	case isMalformed:
		return http.StatusBadRequest
	case err != nil:
		return http.StatusServiceUnavailable
	case r.Answer == nil:
		return http.StatusAccepted
	default:
		return http.StatusOK
	}
}

func withError(r Reply, err error) Reply {
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

func reply(w http.ResponseWriter, status int, r Reply) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(r) // the client may have gone
}

// userName names a user of this machine.
func userName(uid int) string {
	name := "uid " + strconv.Itoa(uid)
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		name = u.Username
	}
	return at(name)
}

// Self names the user of this process.
func Self() string { return userName(os.Geteuid()) }

// at adds the host.
func at(name string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	who := name + "@" + host
	return who[:min(len(who), maxWho)]
}
