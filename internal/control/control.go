// Package control lets users send requests to a running daemon: run a pass of a mapping now, pause
// it, resume it, replay its quarantine, or run a pass under a new key.
//
// There are two ways to send a request. It can be written to the state, under a prefix that is not
// a valid mapping name. This works from any machine, the process that holds the lease finds the
// request, and a crash does not lose it. Or it can be sent to the Unix socket of a daemon on the
// same machine, which writes it to the state and waits for the answer.
//
// The package guarantees that only one process at a time claims a request, and that a request has
// one answer. Everything that it reads from the state or the socket is either a complete and valid
// request or an error. If the process that claimed a request has ended without an answer, the next
// holder of the lease claims the request again, under the next number.
//
// The daemon decides what a request does. Every user who can write to the state can send requests
// through it. The user of the daemon can send requests through the socket.
//
// Terms: a Board is a snapshot of all requests; an Answer is the result of a request; a paused
// mapping runs no passes except those that a user starts with a command; the Mode of a mapping is
// whether it is paused.
package control

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Version is the version of requests and answers, in the state and on the socket.
const Version = 1

// What is the kind of a request.
type What string

// The values of What.
const (
	Trigger What = "trigger" // a pass now
	Pause   What = "pause"   // no passes until Resume
	Resume  What = "resume"
	Replay  What = "replay" // a pass over the quarantine
	Rekey   What = "rekey"  // a pass that may copy everything again under a new key
)

// Known reports whether this version of syncd knows w.
func (w What) Known() bool {
	return slices.Contains([]What{Trigger, Pause, Resume, Replay, Rekey}, w)
}

// IsMode reports whether w changes the mode of a mapping, which needs no pass and no lease.
func (w What) IsMode() bool { return w == Pause || w == Resume }

const (
	// maxRecord is the maximum size of a request or an answer, in bytes.
	maxRecord = 256 << 10
	maxWho    = 256 // bytes of a user name
	maxReason = 64
)

const (
	// MaxFilter is the maximum number of reasons and keys of a replay.
	MaxFilter = 1000
	// MaxKey is the maximum length of a key, in bytes (S3 User Guide, "Naming objects").
	MaxKey = 1024
)

// Request is a request to a daemon. Its JSON form is a contract: see docs/operations.md.
type Request struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Mapping string `json:"mapping"`
	What    What   `json:"what"`
	// Reasons and Keys select the objects that a replay tries again. If Reasons and Keys are empty,
	// the replay tries all quarantined objects.
	Reasons []string `json:"reasons,omitempty"`
	Keys    [][]byte `json:"keys,omitempty"`
	// AllowDeletes is how many deletes the sender of a trigger has confirmed for the pass.
	AllowDeletes int64 `json:"allow_deletes,omitempty"`
	// Who is the sender, as "user@host". The server of the socket sets it. In a request written to
	// the state, the sender sets it, and it is not verified.
	Who string    `json:"who"`
	At  time.Time `json:"at"`
}

// NewID returns a unique request id. An id begins with its time, to the nanosecond, so that sorting
// ids as text sorts them by time: the pause or resume with the latest id decides the mode.
func NewID(now time.Time) string {
	now = now.UTC()
	return fmt.Sprintf("%s%09d-%s", now.Format(idSeconds), now.Nanosecond(), strings.ToLower(rand.Text()[:12]))
}

// idSeconds is the time layout that an id begins with. Nine digits of nanoseconds may follow.
const idSeconds = "20060102t150405"

var (
	idForm      = regexp.MustCompile(`^[0-9]{8}t[0-9]{6}([0-9]{9})?-[a-z0-9]{8,32}$`)
	mappingForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
)

// idTime returns the creation time in a request id.
func idTime(id string) (time.Time, bool) {
	if !idForm.MatchString(id) {
		return time.Time{}, false
	}
	digits, _, _ := strings.Cut(id, "-")
	at, err := time.Parse(idSeconds, digits[:len(idSeconds)])
	if err != nil || len(digits) == len(idSeconds) {
		return at, err == nil
	}
	nanoseconds, err := strconv.Atoi(digits[len(idSeconds):])
	return at.Add(time.Duration(nanoseconds)), err == nil
}

// MalformedError reports an invalid request or answer. An invalid request is never carried out.
type MalformedError struct{ Problem string }

func (e *MalformedError) Error() string { return "malformed request: " + e.Problem }

func malformed(format string, args ...any) error {
	return &MalformedError{fmt.Sprintf(format, args...)}
}

// Check returns a *MalformedError unless the request is valid.
func (r Request) Check() error {
	_, timed := idTime(r.ID)
	switch {
	case r.Version != Version:
		return malformed("version %d is not supported, want %d", r.Version, Version)
	case !timed:
		return malformed("id %q is not valid", clipped(r.ID))
	case !mappingForm.MatchString(r.Mapping) || len(r.Mapping) > maxWho:
		return malformed("mapping name %q is not valid", clipped(r.Mapping))
	case !r.What.Known():
		return malformed("%q is not known: want trigger, pause, resume, replay or rekey", clipped(string(r.What)))
	case r.Who == "" || len(r.Who) > maxWho || !utf8.ValidString(r.Who):
		return malformed("the sender is missing or not valid")
	case r.At.IsZero():
		return malformed("the time is missing")
	}
	if r.AllowDeletes < 0 || r.AllowDeletes > 0 && r.What != Trigger {
		return malformed("%s of %d allowed deletes", r.What, r.AllowDeletes)
	}
	return r.checkFilter()
}

func (r Request) checkFilter() error {
	if len(r.Reasons)+len(r.Keys) > 0 && r.What != Replay {
		return malformed("%s takes no reasons or keys", r.What)
	}
	if len(r.Reasons)+len(r.Keys) > MaxFilter {
		return malformed("%d reasons and keys, more than %d", len(r.Reasons)+len(r.Keys), MaxFilter)
	}
	for _, reason := range r.Reasons {
		if reason == "" || len(reason) > maxReason || !utf8.ValidString(reason) {
			return malformed("reason %q is not valid", clipped(reason))
		}
	}
	for _, key := range r.Keys {
		if len(key) == 0 || len(key) > MaxKey {
			return malformed("a key has %d bytes, want 1 to %d", len(key), MaxKey)
		}
	}
	return nil
}

// Chooses reports whether a replay tries the object with the given key and quarantine reason.
func (r Request) Chooses(reason, key string) bool {
	isKey := func(k []byte) bool { return string(k) == key }
	return (len(r.Reasons) == 0 || slices.Contains(r.Reasons, reason)) && (len(r.Keys) == 0 || slices.ContainsFunc(r.Keys, isKey))
}

// Outcome is the state of a request.
type Outcome string

// The outcomes.
const (
	// Done is a request that was carried out. Its pass may have quarantined objects: see
	// Answer.Summary.
	Done Outcome = "done"
	// Failed is a request that was tried and failed.
	Failed Outcome = "failed"
	// Refused is a request that was not tried.
	Refused Outcome = "refused"
	// Expired is a request that no process carried out in time, and Withdrawn a request that its
	// sender withdrew.
	Expired   Outcome = "expired"
	Withdrawn Outcome = "withdrawn"
	// Accepted is a request that a process has claimed and not answered yet, and Pending a request
	// that no process has claimed. A stored answer never has these outcomes.
	Accepted Outcome = "accepted"
	Pending  Outcome = "pending"
)

// Answer is the result of a request. Its JSON form is a contract: see docs/cli.md.
type Answer struct {
	Version int     `json:"version"`
	ID      string  `json:"id"`
	Mapping string  `json:"mapping"`
	What    What    `json:"what"`
	Outcome Outcome `json:"outcome"`
	// Text describes the outcome, and Hint what to do about it.
	Text string `json:"text,omitempty"`
	Hint string `json:"hint,omitempty"`
	// Summary is the summary of the pass, as `backfill --json` prints it; absent if no pass ran.
	Summary json.RawMessage `json:"summary,omitempty"`
	// By is the process that answered, At the time of the answer.
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Claim records which process carries out a request.
type Claim struct {
	Version int       `json:"version"`
	ID      string    `json:"id"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	// Nonce distinguishes the claims of two processes with the same name.
	Nonce string `json:"nonce"`
}

// DecodeRequest returns a valid request, or a *MalformedError.
func DecodeRequest(data []byte) (Request, error) {
	var r Request
	if err := decode(data, &r); err != nil {
		return Request{}, err
	}
	return r, r.Check()
}

// decode decodes data, which must be exactly one JSON object. It rejects unknown fields, because
// they can have a meaning in a later version.
func decode(data []byte, into any) error {
	if len(data) > maxRecord {
		return malformed("longer than %d bytes", maxRecord)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return malformed("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return malformed("trailing data after the object")
	}
	return nil
}

// clipped shortens a text from an untrusted source for a message.
func clipped(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}

// Prefix is the prefix of all records of requests. It cannot collide with a mapping, because
// mapping names have no dots.
const Prefix = "control.v1/"

const (
	requestSuffix = ".request.json"
	answerSuffix  = ".answer.json"
	claimSuffix   = ".json"
	claimInfix    = ".claim-"
	pausedSuffix  = ".paused.json"
	resumedSuffix = ".resumed.json"
)

func requestName(mapping, id string) string { return Prefix + mapping + "/" + id + requestSuffix }

func answerName(mapping, id string) string { return Prefix + mapping + "/" + id + answerSuffix }

func claimName(mapping, id string, n int) string {
	return fmt.Sprintf("%s%s/%s%s%02d%s", Prefix, mapping, id, claimInfix, n, claimSuffix)
}

// place is the parsed name of a record.
type place struct {
	mapping, id         string
	isRequest, isAnswer bool
	claim               int // the number of the claim, or 0 if the record is not a claim
	isPaused, isResumed bool
}

// placeOf parses the name of a record; ok is false for a name that this version does not use.
func placeOf(name string) (p place, ok bool) {
	rest, ok := strings.CutPrefix(name, Prefix)
	mapping, file, found := strings.Cut(rest, "/")
	if !ok || !found || !mappingForm.MatchString(mapping) {
		return place{}, false
	}
	p.mapping = mapping
	id, kind, _ := strings.Cut(file, ".")
	if _, ok := idTime(id); !ok {
		return place{}, false
	}
	p.id = id
	switch kind = "." + kind; kind {
	case requestSuffix:
		p.isRequest = true
	case answerSuffix:
		p.isAnswer = true
	case pausedSuffix:
		p.isPaused = true
	case resumedSuffix:
		p.isResumed = true
	default:
		number, isClaim := strings.CutPrefix(kind, claimInfix)
		number, isRecord := strings.CutSuffix(number, claimSuffix)
		n, err := strconv.Atoi(number)
		if !isClaim || !isRecord || err != nil || n < 1 {
			return place{}, false
		}
		p.claim = n
	}
	return p, true
}
