// Package history keeps the last passes of a mapping: when each began and ended, why, with what
// result and counts.
//
// The package promises a bounded record that a writer without the lease does not replace. Failures
// that repeat are one entry with a count. A damaged history is reported to readers, and begins
// again with the next pass.
//
// It leaves to the caller what the result of a pass is, and to package generation what the pass
// made true.
//
// The words: a Pass is one entry of the history; a Journal adds entries under the lease.
package history

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
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

// Pass is one pass in the history of a mapping. Its JSON form is a contract: docs/cli.md describes
// it.
type Pass struct {
	Pass    int64     `json:"pass"` // its number, 0 for one that failed before it had one
	BeganAt time.Time `json:"began_at"`
	EndedAt time.Time `json:"ended_at"`
	// Result is complete, quarantined, drained, denied or failed.
	Result string `json:"result"`
	// Trigger is why the pass began: schedule, start, request, backfill or replay.
	Trigger string `json:"trigger"`
	// Request is the id of the request that asked for it, By the user who sent that; both are empty
	// without one.
	Request     string `json:"request,omitempty"`
	By          string `json:"by,omitempty"`
	Holder      string `json:"holder"` // of the lease
	Listed      int64  `json:"listed"`
	Copied      int64  `json:"copied"`
	CopiedBytes int64  `json:"copied_bytes"`
	Quarantined int64  `json:"quarantined"`
	// Class is the class of the error that ended the pass, Error its text; both are empty for a
	// pass that reached its end.
	Class string `json:"class,omitempty"`
	Error string `json:"error,omitempty"`
	// Times is how many passes in a row ended like this one and copied nothing, when there is more
	// than one. BeganAt is that of the first, all else that of the last.
	Times int64 `json:"times,omitempty"`
	// FailingSince is when the first of the passes failed that have failed in a row until this one,
	// which is the FailedInRow-th of them; the history may have forgotten the others. Both are zero
	// for a pass that did not fail.
	FailingSince time.Time `json:"failing_since,omitzero"`
	FailedInRow  int64     `json:"failed_in_row,omitempty"`
}

// repeats reports whether a pass is the same failure as the one before it, so that one record says
// it all.
func (r Pass) repeats(before Pass) bool {
	return r.FailsLike(before) && r.Copied+before.Copied == 0 && r.Request == "" && before.Request == "" && r.Trigger == before.Trigger &&
		r.Holder == before.Holder
}

// FailsLike reports whether a pass failed for what another one did, as far as their errors say.
func (r Pass) FailsLike(other Pass) bool {
	return r.Error != "" && r.Result == other.Result && r.Class == other.Class && withoutIDs(shortened(r.Error)) == withoutIDs(other.Error)
}

// requestIDs are where an error of a service names the request: another one each time.
var requestIDs = regexp.MustCompile(`\(request [^()]*\)`)

func withoutIDs(text string) string { return requestIDs.ReplaceAllString(text, "") }

// historyRecord is the one record that has the history of a mapping. The next takes its place.
type historyRecord struct {
	Version int    `json:"version"`
	Mapping string `json:"mapping"`
	Passes  []Pass `json:"passes"` // oldest first
}

// past is what there is of the passes before.
type past struct {
	isKnown bool
	seq     int64    // of the newest record, 0 for none
	names   []string // of all records
	passes  []Pass
}

func historyName(mapping string, seq int64) string {
	return fmt.Sprintf("%s/%s%010d%s", mapping, historyPrefix, seq, record.Suffix)
}

// Read returns the passes of a mapping that ended last, oldest first, without the lease. Where the
// record is damaged the error is a *CorruptError.
func Read(ctx context.Context, store store.Store, mapping string) ([]Pass, error) {
	h, err := readHistory(ctx, store, mapping)
	return h.passes, err
}

func readHistory(ctx context.Context, store store.Store, mapping string) (past, error) {
	for range record.VanishTries {
		h, err := readHistoryOnce(ctx, store, mapping)
		if !errors.Is(err, fs.ErrNotExist) {
			return h, err
		}
	}
	return past{}, nil // it is replaced all the time
}

func readHistoryOnce(ctx context.Context, from store.Store, mapping string) (past, error) {
	h := past{isKnown: true}
	names, err := from.List(ctx, mapping+"/"+historyPrefix)
	if err != nil {
		return past{}, fmt.Errorf("list the history of %q: %w", mapping, err)
	}
	newest := ""
	for _, name := range names {
		if seq, _, ok := record.NumbersIn(name, historyPrefix, record.Suffix); ok {
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
	if err := store.ReadSealed(ctx, from, newest, &record); err != nil {
		return h, fmt.Errorf("read the history of %q: %w", mapping, err)
	}
	h.passes = record.Passes
	return h, nil
}
