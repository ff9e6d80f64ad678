package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	historyPrefix = "history-"
	// keptPasses is how many passes the history of a mapping has at most.
	keptPasses = 50
	// maxPassError bounds the text of an error in the history, in bytes.
	maxPassError = 500
	// historyTries bounds how often the number of the next record is found taken.
	historyTries = 3
)

// The results of a pass, as metrics, logs and the history name them.
const (
	ResultComplete    = "complete"
	ResultQuarantined = "quarantined"
	ResultDrained     = "drained"
	ResultDenied      = "denied" // everything that was tried was refused
	ResultFailed      = "failed"
)

// TriggerReplay is why a pass begins that tries what is in quarantine, and nothing else.
const TriggerReplay = "replay"

// PassRecord is one pass in the history of a mapping. Its JSON form is a contract: docs/cli.md describes it.
type PassRecord struct {
	Pass    int64     `json:"pass"` // its number, 0 for one that failed before it had one
	BeganAt time.Time `json:"began_at"`
	EndedAt time.Time `json:"ended_at"`
	// Result is complete, quarantined, drained, denied or failed.
	Result string `json:"result"`
	// Trigger is why the pass began: schedule, start, request, backfill or replay.
	Trigger string `json:"trigger"`
	// Request is the id of the request that asked for it, By the user who sent that; both are empty without one.
	Request     string `json:"request,omitempty"`
	By          string `json:"by,omitempty"`
	Holder      string `json:"holder"` // of the lease
	Listed      int64  `json:"listed"`
	Copied      int64  `json:"copied"`
	CopiedBytes int64  `json:"copied_bytes"`
	Quarantined int64  `json:"quarantined"`
	// Class is the class of the error that ended the pass, Error its text; both are empty for a pass that reached its end.
	Class string `json:"class,omitempty"`
	Error string `json:"error,omitempty"`
	// Times is how many passes in a row ended like this one and copied nothing, when there is more than one. BeganAt is that of the
	// first, all else that of the last.
	Times int64 `json:"times,omitempty"`
	// FailingSince is when the first of the passes failed that have failed in a row until this one, which is the FailedInRow-th of
	// them; the history may have forgotten the others. Both are zero for a pass that did not fail.
	FailingSince time.Time `json:"failing_since,omitzero"`
	FailedInRow  int64     `json:"failed_in_row,omitempty"`
}

// repeats reports whether a pass is the same failure as the one before it, so that one record says it all.
func (r PassRecord) repeats(before PassRecord) bool {
	return r.FailsLike(before) && r.Copied+before.Copied == 0 && r.Request == "" && before.Request == "" && r.Trigger == before.Trigger &&
		r.Holder == before.Holder
}

// FailsLike reports whether a pass failed for what another one did, as far as their errors say.
func (r PassRecord) FailsLike(other PassRecord) bool {
	return r.Error != "" && r.Result == other.Result && r.Class == other.Class && withoutIDs(shortened(r.Error)) == withoutIDs(other.Error)
}

// requestIDs are where an error of a service names the request: another one each time.
var requestIDs = regexp.MustCompile(`\(request [^()]*\)`)

func withoutIDs(text string) string { return requestIDs.ReplaceAllString(text, "") }

// historyRecord is the one record that has the history of a mapping. The next takes its place.
type historyRecord struct {
	Version int          `json:"version"`
	Mapping string       `json:"mapping"`
	Passes  []PassRecord `json:"passes"` // oldest first
}

// history is what a ledger knows of the passes before.
type history struct {
	isKnown bool
	seq     int64    // of the newest record, 0 for none
	names   []string // of all records
	passes  []PassRecord
}

func historyName(mapping string, seq int64) string {
	return fmt.Sprintf("%s/%s%010d%s", mapping, historyPrefix, seq, recordSuffix)
}

// History returns the passes of a mapping that ended last, oldest first, without the lease. Where the record is damaged the error is a
// *CorruptError.
func History(ctx context.Context, store Store, mapping string) ([]PassRecord, error) {
	h, err := readHistory(ctx, store, mapping)
	return h.passes, err
}

func readHistory(ctx context.Context, store Store, mapping string) (history, error) {
	for range vanishTries {
		h, err := readHistoryOnce(ctx, store, mapping)
		if !errors.Is(err, fs.ErrNotExist) {
			return h, err
		}
	}
	return history{}, nil // it is replaced all the time
}

func readHistoryOnce(ctx context.Context, store Store, mapping string) (history, error) {
	h := history{isKnown: true}
	names, err := store.List(ctx, mapping+"/"+historyPrefix)
	if err != nil {
		return history{}, fmt.Errorf("list the history of %q: %w", mapping, err)
	}
	newest := ""
	for _, name := range names {
		if seq, _, ok := numbersIn(name, historyPrefix, recordSuffix); ok {
			h.names = append(h.names, name)
			if seq > h.seq {
				h.seq, newest = seq, name
			}
		}
	}
	if newest == "" {
		return h, nil
	}
	var record historyRecord
	if err := readRecord(ctx, store, newest, &record); err != nil {
		return h, fmt.Errorf("read the history of %q: %w", mapping, err)
	}
	h.passes = record.Passes
	return h, nil
}

// Enter adds a pass to the history of the mapping, of which a bounded number is kept, and returns what there is then. It costs one
// record that is written and one that is deleted, and reads what there was the first time. Another holder's record is never replaced:
// a writer that lost its lease enters nothing.
func (l *Ledger) Enter(ctx context.Context, r PassRecord) ([]PassRecord, error) {
	r.Holder = l.options.Holder
	r.BeganAt, r.EndedAt = r.BeganAt.UTC().Truncate(time.Microsecond), r.EndedAt.UTC().Truncate(time.Microsecond)
	r.Error = shortened(r.Error)
	for range historyTries {
		if err := l.lease.Held(ctx); err != nil {
			return nil, err
		}
		if err := l.recallHistory(ctx); err != nil {
			return nil, err
		}
		passes, err := l.enter(ctx, r)
		if !errors.Is(err, fs.ErrExist) {
			return passes, err
		}
		l.past = history{} // another holder has written since
	}
	return nil, fmt.Errorf("enter a pass in the history of %q: %w", l.options.Mapping, ErrSuperseded)
}

// EnterAlone adds a pass to the history that failed before it had the ledger. It takes the lease for that, so that no other process writes
// the history, and reads nothing else. A *LeaseHeldError says that another process has the lease: how passes fare is for that one to say.
func EnterAlone(ctx context.Context, store Store, o Options, r PassRecord) (passes []PassRecord, err error) {
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	lease, err := store.Acquire(ctx, o.Mapping, o.Holder)
	if err != nil {
		return nil, fmt.Errorf("take the lease for the history in %s: %w", store, err)
	}
	l := &Ledger{store: store, options: o, log: o.Logger, lease: lease, nonce: nonce()}
	passes, err = l.Enter(ctx, r)
	return passes, errors.Join(err, lease.Release())
}

// Past returns the passes that ended before, oldest first. It reads the history the first time, so that Enter does not.
func (l *Ledger) Past(ctx context.Context) ([]PassRecord, error) {
	if err := l.recallHistory(ctx); err != nil {
		return nil, err
	}
	return slices.Clone(l.past.passes), nil
}

// recallHistory reads the history unless it is known. A damaged one ends, and the next begins after it.
func (l *Ledger) recallHistory(ctx context.Context) error {
	if l.past.isKnown {
		return nil
	}
	h, err := readHistory(ctx, l.store, l.options.Mapping)
	_, isDamage := errors.AsType[*CorruptError](err)
	if err != nil && !isDamage {
		return err
	}
	if isDamage {
		l.log.Warn("history was damaged, it begins again", "mapping", l.options.Mapping, "err", err)
	}
	h.isKnown = true
	l.past = h
	return nil
}

// TakeHistory puts passes of another mapping, whose ledger this one takes over, before those of its own history. It may be repeated.
func (l *Ledger) TakeHistory(ctx context.Context, passes []PassRecord) error {
	if err := l.lease.Held(ctx); err != nil {
		return err
	}
	if err := l.recallHistory(ctx); err != nil {
		return err
	}
	own := slices.DeleteFunc(slices.Clone(l.past.passes), func(r PassRecord) bool {
		return slices.ContainsFunc(passes, func(taken PassRecord) bool { return taken.BeganAt.Equal(r.BeganAt) && taken.Holder == r.Holder })
	})
	_, err := l.write(ctx, append(slices.Clone(passes), own...))
	return err
}

func (l *Ledger) enter(ctx context.Context, r PassRecord) ([]PassRecord, error) {
	passes := slices.Clone(l.past.passes)
	r = r.inRow(passes)
	if n := len(passes); n > 0 && r.repeats(passes[n-1]) {
		r.Times, r.BeganAt = max(passes[n-1].Times, 1)+1, passes[n-1].BeganAt
		passes = passes[:n-1]
	}
	return l.write(ctx, append(passes, r))
}

// write makes the next record of the history, of the newest passes.
func (l *Ledger) write(ctx context.Context, passes []PassRecord) ([]PassRecord, error) {
	passes = bounded(passes)
	name := historyName(l.options.Mapping, l.past.seq+1)
	err := createRecord(ctx, l.store, name, historyRecord{Version: formatVersion, Mapping: l.options.Mapping, Passes: passes})
	if err != nil {
		return nil, fmt.Errorf("enter a pass in the history: %w", err)
	}
	former := l.past.names
	l.past = history{isKnown: true, seq: l.past.seq + 1, names: []string{name}, passes: passes}
	for _, old := range former {
		if err := l.store.Delete(ctx, old); err != nil {
			l.past.names = append(l.past.names, old) // deleted with the next
		}
	}
	return passes, nil
}

// bounded returns the newest passes, and among them one that says how passes fare, if there is any.
func bounded(passes []PassRecord) []PassRecord {
	forgotten := len(passes) - keptPasses
	if forgotten <= 0 {
		return passes
	}
	kept := slices.Clone(passes[forgotten:])
	if slices.ContainsFunc(kept, PassRecord.tells) {
		return kept
	}
	for _, p := range slices.Backward(passes[:forgotten]) {
		if p.tells() {
			kept[0] = p
			break
		}
	}
	return kept
}

// shortened cuts a text at a bound, between characters.
func shortened(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= maxPassError {
		return text
	}
	cut := maxPassError
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "..."
}
