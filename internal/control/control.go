// Package control is how users ask a running daemon for something: a pass of a mapping now, a
// pause, the end of a pause, a replay of its quarantine, or a pass under a new key.
//
// There is one noun, the request, and two ways to bring it. Requests are records of the state,
// below a prefix that no mapping can be called, so that they work from another machine, are found
// by whichever process holds the lease, and are lost by no crash. The Unix socket of a daemon takes
// the same requests on its machine, writes them to the state for the user, and waits for the
// answer.
//
// The package promises that of all processes exactly one claims a request at a time, that what it
// reads from the state or the socket is a whole and valid request or an error, and that a request
// has one answer. A claim without an answer is of a process that ended: the next holder of the
// lease claims the request again, under the next number.
//
// It leaves to the daemon what requests do, and to the state who may send them: whoever may write
// to the state, or is the user of the daemon.
//
// The words: a board is what there is of requests at one moment; an answer is what became of a
// request; a paused mapping has no passes but those that a user runs; the mode of a mapping is
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

// Version is that of requests and answers, in the state and on the socket.
const Version = 1

// What is what a request asks for.
type What string

// What requests ask for.
const (
	Trigger What = "trigger" // a pass now
	Pause   What = "pause"   // no passes until Resume
	Resume  What = "resume"
	Replay  What = "replay" // a pass over the quarantine
	Rekey   What = "rekey"  // a pass that may copy everything again under a new key
)

// Known reports whether this version knows it.
func (w What) Known() bool {
	return slices.Contains([]What{Trigger, Pause, Resume, Replay, Rekey}, w)
}

// IsMode reports whether it changes the mode of a mapping, which takes no pass and no lease.
func (w What) IsMode() bool { return w == Pause || w == Resume }

const (
	// maxRecord bounds a request, an answer and what is read of either, in bytes.
	maxRecord = 256 << 10
	maxWho    = 256 // of the name of a user
	maxReason = 64
)

const (
	// MaxFilter bounds how many reasons and keys a replay has.
	MaxFilter = 1000
	// MaxKey bounds a key, in bytes (S3 User Guide, "Naming objects").
	MaxKey = 1024
)

// Request asks for something. Its JSON form is a contract: docs/operations.md describes it.
type Request struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Mapping string `json:"mapping"`
	What    What   `json:"what"`
	// Reasons and Keys choose what a replay tries again; none means all. Keys are bytes.
	Reasons []string `json:"reasons,omitempty"`
	Keys    [][]byte `json:"keys,omitempty"`
	// Who sent it, "user@host". It is what the sender says, but on the socket, which knows.
	Who string    `json:"who"`
	At  time.Time `json:"at"`
}

// NewID returns an id that no other request has. IDs sort by time, to the nanosecond: of two pauses
// and resumes the later id counts.
func NewID(now time.Time) string {
	now = now.UTC()
	return fmt.Sprintf("%s%09d-%s", now.Format(idSeconds), now.Nanosecond(), strings.ToLower(rand.Text()[:12]))
}

// idSeconds is how an id begins; nine digits of nanoseconds may follow.
const idSeconds = "20060102t150405"

var (
	idForm      = regexp.MustCompile(`^[0-9]{8}t[0-9]{6}([0-9]{9})?-[a-z0-9]{8,32}$`)
	mappingForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
)

// idTime returns when a request was made, by its id.
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

// MalformedError says that something is no valid request, or no valid answer. It is never carried
// out.
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
		return malformed("version %d, this program knows %d", r.Version, Version)
	case !timed:
		return malformed("id %q is not one", clipped(r.ID))
	case !mappingForm.MatchString(r.Mapping) || len(r.Mapping) > maxWho:
		return malformed("mapping %q cannot be one", clipped(r.Mapping))
	case !r.What.Known():
		return malformed("%q is not known: want trigger, pause, resume, replay or rekey", clipped(string(r.What)))
	case r.Who == "" || len(r.Who) > maxWho || !utf8.ValidString(r.Who):
		return malformed("it does not say who sent it")
	case r.At.IsZero():
		return malformed("it does not say when it was sent")
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
			return malformed("reason %q is not one", clipped(reason))
		}
	}
	for _, key := range r.Keys {
		if len(key) == 0 || len(key) > MaxKey {
			return malformed("a key has %d bytes", len(key))
		}
	}
	return nil
}

// Chooses reports whether a replay tries an object again that is in quarantine for that reason.
func (r Request) Chooses(reason, key string) bool {
	isKey := func(k []byte) bool { return string(k) == key }
	return (len(r.Reasons) == 0 || slices.Contains(r.Reasons, reason)) && (len(r.Keys) == 0 || slices.ContainsFunc(r.Keys, isKey))
}

// Outcome is what became of a request.
type Outcome string

// The outcomes.
const (
	// Done is a request that was carried out. A pass that it asked for may have set objects aside:
	// see Answer.Summary.
	Done Outcome = "done"
	// Failed is a request that was tried and failed.
	Failed Outcome = "failed"
	// Refused is a request that was not tried.
	Refused Outcome = "refused"
	// Expired is a request that nobody carried out in time, Withdrawn one that its sender took
	// back.
	Expired   Outcome = "expired"
	Withdrawn Outcome = "withdrawn"
	// Accepted is a request that a process carries out and has not answered yet, Pending one that
	// none has accepted. No answer of a daemon has these.
	Accepted Outcome = "accepted"
	Pending  Outcome = "pending"
)

// Answer is what became of a request. Its JSON form is a contract: docs/cli.md describes it.
type Answer struct {
	Version int     `json:"version"`
	ID      string  `json:"id"`
	Mapping string  `json:"mapping"`
	What    What    `json:"what"`
	Outcome Outcome `json:"outcome"`
	// Text says what became of it, for people, and Hint what to do about that.
	Text string `json:"text,omitempty"`
	Hint string `json:"hint,omitempty"`
	// Summary is that of the pass, as `backfill --json` prints it; absent where there was none.
	Summary json.RawMessage `json:"summary,omitempty"`
	// By is the process that answered, At when.
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Claim says which process carries a request out.
type Claim struct {
	Version int       `json:"version"`
	ID      string    `json:"id"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	// Nonce tells two claims of processes of one name apart.
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

// decode reads one JSON object and nothing else. Fields that are not known are refused: they may be
// what a later version means.
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
		return malformed("something follows the object")
	}
	return nil
}

// clipped is a short form of a text of others.
func clipped(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}

// Prefix begins the names of all records of requests. No mapping has a dot in its name.
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

// place is what the name of a record says.
type place struct {
	mapping, id         string
	isRequest, isAnswer bool
	claim               int // its number, 0 for none
	isPaused, isResumed bool
}

// placeOf reads a name; ok is false for one that is none of this version's.
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
