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

// Limits for a client of the socket.
const (
	requestTime    = 10 * time.Second // to send a request
	replyTime      = 30 * time.Second // to write the reply, in addition to the requested wait
	maxHeaderBytes = 16 << 10
)

// MaxWait is the longest time that a client can wait for an answer.
const MaxWait = 24 * time.Hour

// path is the URL path for requests of this version.
const path = "/v1/requests"

// Reply is the response of the socket.
type Reply struct {
	// Answer is the answer to the request; absent if there is none yet.
	Answer *Answer `json:"answer,omitempty"`
	// ClaimedBy is the process that carries out the request, if there is no answer yet.
	ClaimedBy string `json:"claimed_by,omitempty"`
	// Error is why the request was rejected, and Hint what to do about it.
	Error string `json:"error,omitempty"`
	Hint  string `json:"hint,omitempty"`
}

// NotKeptError reports that a mapping is not in the daemon's configuration.
type NotKeptError struct{ Mapping string }

func (e *NotKeptError) Error() string {
	return fmt.Sprintf("mapping %q is not in this daemon's configuration", clipped(e.Mapping))
}

// Take accepts a request and waits for the answer, at most for the duration wait or until ctx ends.
type Take func(ctx context.Context, r Request, wait time.Duration) (Reply, error)

// peer is the user at the other end of a connection.
type peer struct {
	uid     int
	isKnown bool // the system has reported the uid
}

type peerKey struct{}

// NewServer returns a server for the socket that passes requests to take. It serves only the user
// of this process and root.
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
			logger.Warn("request refused, sent by another user", "uid", who.uid)
			reply(w, http.StatusForbidden, Reply{Error: "this socket accepts requests only from the user of the daemon", Hint: "run the command as that user"})
			return
		}
		wait, err := time.ParseDuration(r.URL.Query().Get("wait"))
		if err != nil || wait < 0 || wait > MaxWait {
			reply(w, http.StatusBadRequest, Reply{Error: "wait must be a duration from 0 to " + MaxWait.String()})
			return
		}
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRecord))
		request, malformed := DecodeRequest(data)
		if err = errors.Join(err, malformed); err != nil {
			logger.Warn("malformed request refused", "err", err)
			reply(w, http.StatusBadRequest, Reply{Error: err.Error()})
			return
		}
		if who.isKnown {
			request.Who = userName(who.uid)
		}
		// If the deadline cannot be set, the wait ends when the client disconnects.
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(wait + replyTime))
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
	_ = json.NewEncoder(w).Encode(r) // the client may have disconnected
}

// userName returns the name of a user of this machine, with the host.
func userName(uid int) string {
	name := "uid " + strconv.Itoa(uid)
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		name = u.Username
	}
	return at(name)
}

// Self returns the name of the user of this process, as "user@host".
func Self() string { return userName(os.Geteuid()) }

// at returns the name of a user with "@" and the name of the host, shortened to maxWho bytes.
func at(name string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	who := name + "@" + host
	return who[:min(len(who), maxWho)]
}
